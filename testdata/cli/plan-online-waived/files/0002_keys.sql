SELECT 1;
-- migrate: allow create-index-blocking reason="nobody writes orders at night"
CREATE INDEX orders_customer ON orders (customer_id);
ALTER TABLE orders ALTER COLUMN note SET NOT NULL;
