INSERT INTO users (id) VALUES (1);
INSERT INTO orders (id, user_id) VALUES (1, 1);
ALTER TABLE orders ADD COLUMN note text;
