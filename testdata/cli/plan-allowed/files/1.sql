CREATE TABLE notes (id bigint PRIMARY KEY);
-- migrate: allow drop-column reason="not read since release 41"
ALTER TABLE users DROP COLUMN fax;
-- migrate: allow drop-table reason="was dropped here once"
ALTER TABLE users ALTER COLUMN email SET DEFAULT '';
