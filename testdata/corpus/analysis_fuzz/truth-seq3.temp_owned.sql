CREATE TABLE t (a int)
-- migration
CREATE TEMP SEQUENCE s;
