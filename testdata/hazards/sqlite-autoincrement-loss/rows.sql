INSERT INTO users (id, email, age) VALUES (1, 'a@b', 'old');
INSERT INTO users (id) VALUES (7);
DELETE FROM users WHERE id = 7;
