CREATE TABLE orders (id integer PRIMARY KEY, customer_id integer, note text, qty integer);
INSERT INTO orders SELECT g, 1 + g % 200, 'note ' || g, g % 9 + 1 FROM generate_series(1, 500) g;
CREATE VIEW v AS SELECT id, note, qty FROM orders WHERE qty > 1;

-- migration
COMMENT ON COLUMN v.note IS 'x';
