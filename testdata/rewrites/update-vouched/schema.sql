CREATE TABLE customers (id bigint PRIMARY KEY, name text);
INSERT INTO customers SELECT n, 'c' || n FROM generate_series(1, 500) n;
CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint NOT NULL, name text, n int NOT NULL DEFAULT 0);
INSERT INTO orders SELECT n, n % 500 + 1 FROM generate_series(1, 20000) n;
CREATE INDEX ON orders (customer_id, id);
ANALYZE;
