CREATE TABLE users (id bigint PRIMARY KEY, a int);
CREATE TABLE orders (id bigint PRIMARY KEY, total numeric);
