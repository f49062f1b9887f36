SET timezone TO 'UTC';
SET timezone TO DEFAULT;
ALTER TABLE event ALTER COLUMN at TYPE timestamptz, ALTER COLUMN done TYPE timestamp;
