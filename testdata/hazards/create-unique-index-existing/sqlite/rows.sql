INSERT INTO users (id, email, age) VALUES (1, 'a@b', 'old');
INSERT INTO users (email) VALUES ('a@b');
