CREATE TABLE orders (id bigint PRIMARY KEY, code varchar(10));
