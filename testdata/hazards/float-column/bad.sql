CREATE TABLE orders (id bigint PRIMARY KEY, total double precision);
