CREATE TABLE t (n integer PRIMARY KEY);
-- migration
CLUSTER t USING t_pkey;
