CREATE TABLE orders (id bigint PRIMARY KEY, user_id bigint);
CREATE TABLE invoices (id bigint PRIMARY KEY);
