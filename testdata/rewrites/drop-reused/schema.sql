CREATE TABLE users (id bigint PRIMARY KEY, name text, town text);
CREATE TABLE carts (id bigint PRIMARY KEY);
CREATE TABLE users_new (id bigint PRIMARY KEY);
INSERT INTO users SELECT n, 'user' || n, 'town' FROM generate_series(1, 100) n;
INSERT INTO carts SELECT n FROM generate_series(1, 100) n;
ANALYZE;
