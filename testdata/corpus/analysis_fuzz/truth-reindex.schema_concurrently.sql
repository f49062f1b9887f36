CREATE SCHEMA s;
CREATE TABLE s.a (id integer PRIMARY KEY);
INSERT INTO s.a SELECT generate_series(1, 300);
CREATE TABLE s.plain (n integer);

-- migration
REINDEX SCHEMA CONCURRENTLY s;
