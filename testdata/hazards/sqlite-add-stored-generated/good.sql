ALTER TABLE users ADD COLUMN lower text AS (lower(email)) VIRTUAL;
