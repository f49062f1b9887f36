CREATE TABLE users (id integer PRIMARY KEY, email text, age text);
CREATE TRIGGER keep AFTER INSERT ON users BEGIN
    SELECT 1;
END;
