CREATE TABLE orders (id int PRIMARY KEY, note text);
INSERT INTO orders SELECT n, 'note ' || n FROM generate_series(1, 20000) n;
CREATE SEQUENCE orders_counter_seq;
CREATE TABLE lines (note text);
INSERT INTO lines SELECT 'note ' || n FROM generate_series(1, 20000) n;
ANALYZE;
