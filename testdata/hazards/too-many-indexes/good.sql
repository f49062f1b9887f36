CREATE TABLE t (id bigint PRIMARY KEY, a int);
CREATE INDEX ON t (a);
