CREATE SCHEMA archive;
CREATE TABLE users (id bigint PRIMARY KEY, mail text);
