CREATE TABLE people (id bigint PRIMARY KEY, first text, last text);
