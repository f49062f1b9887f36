INSERT INTO users VALUES (2, 'c@d', 'x');
