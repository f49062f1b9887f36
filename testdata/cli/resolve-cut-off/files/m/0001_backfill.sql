-- migrate: no-transaction
CREATE TABLE a (id int);
DO $$
BEGIN
    INSERT INTO a VALUES (1);
    COMMIT;
    PERFORM pg_sleep(20);
END
$$;
INSERT INTO a VALUES (2);
