CREATE TABLE people (id bigint PRIMARY KEY, name text, lower_name text);
