CREATE TABLE base (id int PRIMARY KEY, label text, w int); CREATE TABLE mid (d int) INHERITS (base); CREATE TABLE leaf (e int) INHERITS (mid); CREATE TABLE leaf2 () INHERITS (mid); INSERT INTO base SELECT g,'b',g FROM generate_series(1,200) g; INSERT INTO mid SELECT g,'m',g,1 FROM generate_series(201,400) g; INSERT INTO leaf SELECT g,'l',g,1,1 FROM generate_series(401,600) g; INSERT INTO leaf2 SELECT g,'l',g,1 FROM generate_series(601,800) g; ALTER TABLE mid NO INHERIT base;
-- migration
ALTER TABLE base ADD COLUMN z float8 DEFAULT random();
