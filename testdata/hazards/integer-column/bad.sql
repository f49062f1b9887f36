CREATE TABLE hits (id bigint PRIMARY KEY, n integer);
