CREATE TABLE customers (id bigint PRIMARY KEY, email text);
CREATE TABLE carts (id serial PRIMARY KEY, customer_id bigint CONSTRAINT of_customer REFERENCES customers, parent int REFERENCES carts);
CREATE TABLE lines (id bigint PRIMARY KEY, cart_id int REFERENCES carts, customer_id bigint REFERENCES customers);
CREATE TABLE stays (id bigint PRIMARY KEY, line_id bigint REFERENCES lines, cart_id int REFERENCES carts);
INSERT INTO customers SELECT n, 'user' || n FROM generate_series(1, 1000) n;
INSERT INTO carts (customer_id) SELECT n FROM generate_series(1, 1000) n;
INSERT INTO lines SELECT n, n, n FROM generate_series(1, 1000) n;
INSERT INTO stays SELECT n, n, n FROM generate_series(1, 1000) n;
ANALYZE;
