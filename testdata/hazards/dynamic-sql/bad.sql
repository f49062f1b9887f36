DO $$
DECLARE t text;
BEGIN
    SELECT max(note) INTO t FROM orders;
    EXECUTE 'ALTER TABLE ' || quote_ident(coalesce(t, 'orders')) || ' ADD COLUMN code text';
END $$;
