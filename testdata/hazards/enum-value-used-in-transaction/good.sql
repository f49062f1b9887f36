BEGIN;
ALTER TYPE mood ADD VALUE 'so-so';
COMMIT;
INSERT INTO days (id, how) VALUES (1, 'so-so');
