INSERT INTO users (id, email, age) VALUES (2, 'c@d', 'x');
