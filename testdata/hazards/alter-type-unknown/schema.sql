CREATE EXTENSION hstore;
CREATE TABLE things (id bigint PRIMARY KEY, what text, n varchar(10));
