CREATE TABLE marks (id bigint PRIMARY KEY);
