ALTER TABLE users RENAME COLUMN name TO full_name;
ALTER TABLE log RENAME line TO message;
ALTER TABLE events RENAME payload TO body;
ALTER TABLE accounts RENAME iban TO account_number;
ALTER TABLE items RENAME state TO status;
ALTER TABLE items RENAME made TO created_at;
ALTER TABLE items RENAME number TO serial_number;
ALTER TABLE items RENAME token TO ticket;
