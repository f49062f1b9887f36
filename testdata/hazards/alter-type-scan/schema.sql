CREATE TABLE users (id bigint PRIMARY KEY, name varchar(20) CONSTRAINT name_given CHECK (name <> ''));
