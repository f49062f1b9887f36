DO $$
DECLARE
    last bigint := (SELECT max(id) FROM notes);
    size CONSTANT bigint := 2000;
BEGIN
    FOR batch IN 0 .. last / size LOOP
        DELETE FROM notes WHERE id > batch * size AND id <= (batch + 1) * size AND id % 2 = 0;
        COMMIT;
    END LOOP;
END $$;
