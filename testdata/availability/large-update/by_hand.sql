DO $$
DECLARE
    last bigint := (SELECT max(id) FROM accounts);
    size CONSTANT bigint := 2000;
BEGIN
    FOR batch IN 0 .. last / size LOOP
        UPDATE accounts SET status = 'active' WHERE id > batch * size AND id <= (batch + 1) * size AND status IS NULL;
        COMMIT;
    END LOOP;
END $$;
