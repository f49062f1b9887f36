CREATE UNIQUE INDEX CONCURRENTLY accounts_ref ON accounts (ref);
