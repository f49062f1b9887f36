SET LOCAL search_path = app;
ALTER TABLE orders ADD CHECK (n > 0);
ALTER TABLE orders ADD UNIQUE (n);
INSERT INTO orders VALUES (0 + 99999);
