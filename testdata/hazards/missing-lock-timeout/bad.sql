RESET lock_timeout;
ALTER TABLE orders ADD COLUMN note text;
