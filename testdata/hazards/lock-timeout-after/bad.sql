ALTER TABLE orders ADD COLUMN note text;
SET lock_timeout TO '2s';
