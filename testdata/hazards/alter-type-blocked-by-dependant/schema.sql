CREATE TABLE users (id bigint PRIMARY KEY, name varchar(20));
CREATE VIEW names AS SELECT name FROM users;
