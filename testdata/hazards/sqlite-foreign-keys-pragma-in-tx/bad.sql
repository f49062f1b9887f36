BEGIN;
PRAGMA foreign_keys = OFF;
UPDATE users SET age = 'x' WHERE id = 1;
COMMIT;
