CREATE TABLE t (id serial PRIMARY KEY, n integer);
-- migration
INSERT INTO t (id, n) VALUES (7, 1);
