SET LOCAL timezone TO 'UTC';
ALTER TABLE logins ALTER COLUMN at TYPE timestamptz;
