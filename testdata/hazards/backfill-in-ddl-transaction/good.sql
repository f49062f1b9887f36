BEGIN;
ALTER TABLE users ADD COLUMN lower_name text;
COMMIT;
UPDATE users SET lower_name = lower(name) WHERE id BETWEEN 1 AND 1000;
