CREATE TABLE customers (id bigint PRIMARY KEY);
CREATE TABLE products (id bigint PRIMARY KEY);
CREATE TABLE wishes (
    customer bigint CONSTRAINT wishes_customer_fkey REFERENCES customers,
    product bigint CONSTRAINT wishes_product_fkey REFERENCES products
);
