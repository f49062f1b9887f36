CREATE SCHEMA s;
CREATE TABLE s.t (a int, b int);
-- migration
CREATE STATISTICS s.x (mcv) ON a, b FROM s.t;
