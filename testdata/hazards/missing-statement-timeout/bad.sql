SET statement_timeout TO 0;
ALTER TABLE orders ALTER COLUMN total SET NOT NULL;
