CREATE TABLE t (id serial PRIMARY KEY, n integer);
-- migration
INSERT INTO t (n) VALUES (1);
