CREATE TABLE leads (id bigint PRIMARY KEY, fax text);
ALTER TABLE leads DROP COLUMN fax;
