CREATE DOMAIN posint AS integer;
CREATE DOMAIN small AS posint;
CREATE TABLE t (id integer, n small);
INSERT INTO t SELECT g, g FROM generate_series(1,300) g;
-- migration
ALTER DOMAIN posint ADD CONSTRAINT p CHECK (VALUE > 0);
