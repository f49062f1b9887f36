SET statement_timeout TO '5s';
ALTER TABLE orders ALTER COLUMN total SET NOT NULL;
