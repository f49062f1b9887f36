CREATE TABLE customers (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, email text);
INSERT INTO customers (email) SELECT 'user' || n FROM generate_series(1, 20000) n;
CREATE TABLE orders (id int PRIMARY KEY, customer_id bigint, note text, "Amount" numeric NOT NULL, old text);
INSERT INTO orders SELECT n, n % 20000 + 1, 'note ' || n, n, 'x' FROM generate_series(1, 20000) n;
CREATE INDEX orders_note ON orders (note);
CREATE VIEW notes AS SELECT id, note FROM orders;
ANALYZE;
