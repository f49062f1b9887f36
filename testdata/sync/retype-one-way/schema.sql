CREATE TABLE t (id int PRIMARY KEY, "Full Name" text NOT NULL);
INSERT INTO t SELECT n, 'x' || n FROM generate_series(1, 20) n;
CREATE INDEX by_name ON t ("Full Name");
-- As large as what is not written in a moment.
UPDATE pg_class SET reltuples = 1000000 WHERE relkind = 'r' AND relname = 't';
