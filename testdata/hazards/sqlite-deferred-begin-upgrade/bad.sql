BEGIN;
UPDATE users SET age = 'x' WHERE id = 1;
COMMIT;
