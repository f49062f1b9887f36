CREATE TABLE orders (id integer PRIMARY KEY, customer_id integer, note text, total numeric(10,2), qty integer, placed_at timestamp);
INSERT INTO orders SELECT g, 1 + g % 200, 'n' || g, g, g % 9 + 1, timestamp '2024-01-01' + g * interval '1 hour' FROM generate_series(1, 300) g;
CREATE MATERIALIZED VIEW m AS SELECT id, note FROM orders;
-- migration
CREATE MATERIALIZED VIEW m2 AS SELECT * FROM m;
