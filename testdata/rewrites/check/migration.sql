ALTER TABLE orders ADD CONSTRAINT amount_is_positive CHECK ("Amount" > 0);
