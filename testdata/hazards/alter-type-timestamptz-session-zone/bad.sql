ALTER TABLE logins ALTER COLUMN at TYPE timestamptz;
