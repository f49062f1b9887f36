ALTER TABLE orders ADD COLUMN total_2 bigint;
