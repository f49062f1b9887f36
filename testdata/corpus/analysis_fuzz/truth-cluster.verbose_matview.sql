CREATE TABLE orders (id integer PRIMARY KEY, customer_id integer, note text, qty integer);
INSERT INTO orders SELECT g, 1 + g % 200, 'note ' || g, g % 9 + 1 FROM generate_series(1, 500) g;
CREATE MATERIALIZED VIEW m AS SELECT id, note FROM orders;
CREATE INDEX m_id ON m (id);
-- migration
CLUSTER VERBOSE m USING m_id;
