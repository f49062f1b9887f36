ALTER TABLE accounts ADD CONSTRAINT accounts_ref_key UNIQUE (ref);
