CREATE TABLE orders (id bigint PRIMARY KEY, paid boolean);
CREATE VIEW open_orders AS SELECT id FROM orders WHERE NOT paid;
