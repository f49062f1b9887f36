-- migrate: no-transaction
SET LOCAL lock_timeout TO '400ms';
ALTER TABLE orders ADD COLUMN note text;
