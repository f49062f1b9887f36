COPY customers2 FROM stdin;
1	a;b
2	c
\.
ALTER TABLE orders ADD CHECK (n > 0);
COPY customers2 FROM stdin;
3	d
\.
ALTER TABLE orders ADD UNIQUE (n);
