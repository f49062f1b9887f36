SET search_path TO shop, public;
CREATE TABLE orders (id bigint PRIMARY KEY);
