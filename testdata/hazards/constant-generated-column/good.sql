CREATE TABLE orders (id bigint PRIMARY KEY, kind text DEFAULT 'order');
