ALTER TABLE users DROP CONSTRAINT name_given;
ALTER TABLE users ALTER COLUMN name TYPE varchar(40);
ALTER TABLE users ADD CONSTRAINT name_given CHECK (name <> '') NOT VALID;
