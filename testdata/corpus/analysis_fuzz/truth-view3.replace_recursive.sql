CREATE TABLE orders (id integer PRIMARY KEY, customer_id integer, note text, total numeric(10,2), qty integer, placed_at timestamp);
INSERT INTO orders SELECT g, 1 + g % 200, 'n' || g, g, g % 9 + 1, timestamp '2024-01-01' + g * interval '1 hour' FROM generate_series(1, 300) g;
CREATE TABLE customers (id integer PRIMARY KEY, email text, region text);
INSERT INTO customers SELECT g, 'c' || g, 'r' || g % 5 FROM generate_series(1, 200) g;
CREATE VIEW v AS SELECT id FROM orders;
-- migration
CREATE OR REPLACE VIEW v AS SELECT id FROM orders UNION SELECT id FROM customers;
