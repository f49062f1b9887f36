CREATE VIEW turnover AS
SELECT product.title, sum(purchase_line.quantity * product.price_cents) / 100.0 AS total
FROM purchase_line JOIN product ON product.id = purchase_line.product_id
GROUP BY product.id;
