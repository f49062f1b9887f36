ALTER TABLE event ALTER COLUMN at TYPE timestamptz, ALTER COLUMN done TYPE timestamp;
