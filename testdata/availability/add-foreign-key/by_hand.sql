ALTER TABLE movements ADD CONSTRAINT movements_account_id_fkey FOREIGN KEY (account_id) REFERENCES accounts NOT VALID;
ALTER TABLE movements VALIDATE CONSTRAINT movements_account_id_fkey;
