CREATE TABLE carts (id bigint PRIMARY KEY, at date);
