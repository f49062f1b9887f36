INSERT INTO customer (email, name) VALUES ('ada@example.org', 'Ada'), ('grace@example.org', 'Grace');
INSERT INTO purchase (customer_id, state) SELECT id, 'paid' FROM customer WHERE name = 'Ada';
INSERT INTO purchase_line (purchase_id, product_id, quantity)
SELECT purchase.id, product.id, 2 FROM purchase, product WHERE product.sku = 'TEA-01';
