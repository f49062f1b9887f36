UPDATE carts SET currency = 'EUR' WHERE id = 7;
