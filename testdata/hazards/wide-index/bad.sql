CREATE TABLE t (id bigint PRIMARY KEY, a int, b int, c int, d int, e int);
CREATE INDEX t_all ON t (a, b, c, d, e);
