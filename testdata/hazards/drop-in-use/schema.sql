CREATE TABLE hits (id bigint PRIMARY KEY);
CREATE TABLE idle (id bigint PRIMARY KEY);
