CREATE INDEX accounts_region ON accounts (region);
