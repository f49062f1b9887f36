-- Stock follows what is sold.
CREATE TRIGGER purchase_line_takes_stock AFTER INSERT ON purchase_line
BEGIN
    UPDATE product SET in_stock = in_stock - NEW.quantity WHERE id = NEW.product_id;
END;
