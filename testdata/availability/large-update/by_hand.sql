DO $$
DECLARE
    last bigint := (SELECT max(id) FROM accounts);
    size CONSTANT bigint := 2000;
BEGIN
    FOR batch IN 0 .. last / size LOOP
        UPDATE accounts SET name = upper(name) WHERE id > batch * size AND id <= (batch + 1) * size AND name <> upper(name);
        COMMIT;
    END LOOP;
END $$;
