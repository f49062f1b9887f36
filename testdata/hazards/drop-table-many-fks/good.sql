ALTER TABLE wishes DROP CONSTRAINT wishes_customer_fkey;
ALTER TABLE wishes DROP CONSTRAINT wishes_product_fkey;
DROP TABLE wishes;
