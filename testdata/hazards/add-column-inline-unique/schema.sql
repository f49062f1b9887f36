CREATE TABLE offers (id bigint);
