-- The first statement's directives are those of the file.
SELECT 1;
-- migrate: batch key=id
UPDATE orders SET name = c.name FROM customers c WHERE c.id = orders.customer_id;
-- migrate: batch key=customer_id
UPDATE orders o SET n = n + 1;
-- migrate: batch key=id
DELETE FROM orders o USING customers c WHERE c.id = o.customer_id AND c.name = 'c7';
