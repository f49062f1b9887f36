INSERT INTO users (id, email, age) VALUES (1, 'a@b', 'old');
INSERT INTO orders (id, user_id) VALUES (1, 1);
