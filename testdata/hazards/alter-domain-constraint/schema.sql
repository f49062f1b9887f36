CREATE DOMAIN percent AS int;
CREATE TABLE offers (id bigint PRIMARY KEY, rebate percent);
