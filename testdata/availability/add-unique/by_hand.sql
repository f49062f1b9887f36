CREATE UNIQUE INDEX CONCURRENTLY accounts_ref_key ON accounts (ref);
ALTER TABLE accounts ADD CONSTRAINT accounts_ref_key UNIQUE USING INDEX accounts_ref_key;
