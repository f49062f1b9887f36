CREATE UNIQUE INDEX accounts_ref ON accounts (ref);
