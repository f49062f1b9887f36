ALTER TABLE orders ADD COLUMN code_2 text;
