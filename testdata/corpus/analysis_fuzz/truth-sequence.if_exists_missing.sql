
-- migration
ALTER SEQUENCE IF EXISTS nothing RESTART;
