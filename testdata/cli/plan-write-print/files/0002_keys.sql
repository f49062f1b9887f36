-- Orders belong to customers.
ALTER TABLE orders ADD FOREIGN KEY (customer_id) REFERENCES customers;
ALTER TABLE orders ALTER COLUMN note SET NOT NULL;
