CREATE TABLE recipes (
    id SERIAL PRIMARY KEY,
    title VARCHAR NOT NULL,
    body TEXT NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL DEFAULT current_timestamp
);
CREATE TRIGGER recipes_updated BEFORE UPDATE ON recipes
    FOR EACH ROW EXECUTE PROCEDURE diesel_set_updated_at();
