CREATE TABLE orders (id integer PRIMARY KEY, customer_id integer, note text, qty integer);
INSERT INTO orders SELECT g, 1 + g % 200, 'note ' || g, g % 9 + 1 FROM generate_series(1, 500) g;
CREATE VIEW v AS SELECT id, note, qty FROM orders WHERE qty > 1;
CREATE TABLE customers (id integer PRIMARY KEY, email text UNIQUE);
INSERT INTO customers SELECT g, 'c' || g FROM generate_series(1, 200) g;

-- migration
GRANT SELECT, INSERT ON v, customers TO app_reader, app_writer WITH GRANT OPTION;
