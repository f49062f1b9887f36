CREATE TABLE stock (id bigint PRIMARY KEY, n int);
CREATE TABLE counted (id bigint PRIMARY KEY, n int);
