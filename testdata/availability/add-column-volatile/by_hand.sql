ALTER TABLE accounts ADD COLUMN token uuid, ALTER COLUMN token SET DEFAULT gen_random_uuid();
DO $$
DECLARE
    last bigint := (SELECT max(id) FROM accounts);
    size CONSTANT bigint := 2000;
BEGIN
    FOR batch IN 0 .. last / size LOOP
        UPDATE accounts SET token = DEFAULT WHERE id > batch * size AND id <= (batch + 1) * size AND token IS NULL;
        COMMIT;
    END LOOP;
END $$;
ALTER TABLE accounts ADD CONSTRAINT accounts_token_not_null CHECK (token IS NOT NULL) NOT VALID;
ALTER TABLE accounts VALIDATE CONSTRAINT accounts_token_not_null;
ALTER TABLE accounts ALTER COLUMN token SET NOT NULL;
ALTER TABLE accounts DROP CONSTRAINT accounts_token_not_null;
