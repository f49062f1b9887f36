ALTER TABLE ticket ADD COLUMN changed_at timestamptz NOT NULL DEFAULT now();

CREATE FUNCTION touch_ticket() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    NEW.changed_at := now(); -- ; in a comment
    RETURN NEW;
END;
$body$;

CREATE TRIGGER ticket_touched BEFORE UPDATE ON ticket
    FOR EACH ROW EXECUTE FUNCTION touch_ticket();
