CREATE TABLE t (id bigint PRIMARY KEY, a int, b int, c int, d int, e int, f int, g int, h int);
CREATE INDEX ON t (a);
CREATE INDEX ON t (b);
CREATE INDEX ON t (c);
CREATE INDEX ON t (d);
CREATE INDEX ON t (e);
CREATE INDEX ON t (f);
CREATE INDEX ON t (g);
CREATE INDEX ON t (h);
