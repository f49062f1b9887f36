UPDATE carts SET currency = 'EUR';
