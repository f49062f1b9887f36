DROP VIEW faxes;
ALTER TABLE customers DROP COLUMN fax;
