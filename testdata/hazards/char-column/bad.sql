CREATE TABLE rates (id bigint PRIMARY KEY, currency char(3));
