CREATE TABLE base (id integer PRIMARY KEY, v text);
CREATE TABLE kid (extra integer) INHERITS (base);
INSERT INTO base SELECT g, 'b' FROM generate_series(1, 300) g;
INSERT INTO kid SELECT g, 'k', 1 FROM generate_series(1, 300) g;
CREATE INDEX kid_v ON kid (v);

-- migration
CREATE PUBLICATION pub FOR TABLE base;
