CREATE TABLE carts_before AS SELECT id, currency FROM carts WHERE id = 7;
UPDATE carts SET currency = 'EUR' WHERE id = 7;
