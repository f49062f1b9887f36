SELECT 1;
  -- migrate: allow drop-colum reason="typo"
ALTER TABLE users DROP COLUMN fax;
