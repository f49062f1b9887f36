ALTER TABLE movements ADD FOREIGN KEY (account_id) REFERENCES accounts;
