CREATE TABLE customers_with_old_orders (id bigint PRIMARY KEY);
