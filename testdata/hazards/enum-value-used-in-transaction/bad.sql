BEGIN;
ALTER TYPE mood ADD VALUE 'so-so';
INSERT INTO days (id, how) VALUES (1, 'so-so');
COMMIT;
