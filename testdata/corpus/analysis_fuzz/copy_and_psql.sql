COPY t FROM stdin;
1
\.
\restrict abc
-- migration
CREATE TABLE t (a int);
COPY t (a) FROM stdin WITH (FORMAT csv);
1
2
\.
INSERT INTO t VALUES (1)
