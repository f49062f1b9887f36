ALTER TABLE invoices ADD COLUMN note text;
INSERT INTO orders (id) VALUES (1);
