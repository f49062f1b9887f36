CREATE TABLE users (id bigint PRIMARY KEY);
CREATE TABLE offers (id bigint PRIMARY KEY);
