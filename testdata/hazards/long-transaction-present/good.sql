SET lock_timeout = '2s';
CREATE TABLE notes (id bigint PRIMARY KEY, note text);
ALTER TABLE invoices ADD COLUMN note text;
INSERT INTO orders (id, user_id) VALUES (1, 1);
