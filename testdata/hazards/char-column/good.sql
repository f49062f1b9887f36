CREATE TABLE rates (id bigint PRIMARY KEY, currency text);
