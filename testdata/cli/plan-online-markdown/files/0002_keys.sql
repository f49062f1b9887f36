CREATE INDEX orders_customer ON orders (customer_id);
ALTER TABLE orders ALTER COLUMN note SET NOT NULL;
