ALTER TABLE movements DROP CONSTRAINT movements_account_id_fkey;
