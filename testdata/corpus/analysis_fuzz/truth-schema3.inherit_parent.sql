CREATE TABLE nodes (id integer PRIMARY KEY, label text);
CREATE TABLE nodes_leaf (depth integer) INHERITS (nodes);
INSERT INTO nodes SELECT g, 'n' FROM generate_series(1, 100) g;
INSERT INTO nodes_leaf SELECT g, 'l', 1 FROM generate_series(101, 200) g;
CREATE SCHEMA s;
-- migration
ALTER TABLE nodes SET SCHEMA s;
