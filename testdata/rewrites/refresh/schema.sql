CREATE TABLE orders (id int PRIMARY KEY, amount int);
INSERT INTO orders SELECT n, n FROM generate_series(1, 20000) n;
CREATE MATERIALIZED VIEW sums AS SELECT id % 10 AS digit, sum(amount) FROM orders GROUP BY 1;
CREATE UNIQUE INDEX sums_digit ON sums (digit);
UPDATE orders SET amount = amount + 1;
ANALYZE;
