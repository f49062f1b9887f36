CREATE OR REPLACE VIEW customer_total AS
SELECT c.id, c.email, coalesce(sum(p.total), 0) AS total
FROM customer c
LEFT JOIN purchase p ON p.customer_id = c.id
GROUP BY c.id, c.email;
