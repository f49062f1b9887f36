CREATE TABLE orders (id integer PRIMARY KEY, customer_id integer, note text, total numeric(10,2), qty integer, placed_at timestamp);
INSERT INTO orders SELECT g, 1 + g % 200, 'n' || g, g, g % 9 + 1, timestamp '2024-01-01' + g * interval '1 hour' FROM generate_series(1, 300) g;
CREATE TABLE customers (id integer PRIMARY KEY, email text, region text);
INSERT INTO customers SELECT g, 'c' || g, 'r' || g % 5 FROM generate_series(1, 200) g;
ALTER TABLE orders ADD CONSTRAINT orders_customer FOREIGN KEY (customer_id) REFERENCES customers (id);
ALTER TABLE customers RENAME CONSTRAINT customers_pkey TO cpk;
ALTER TABLE customers RENAME TO clients;
-- migration
DROP TABLE clients CASCADE;
