BEGIN; INSERT INTO accounts (email, name) VALUES ('long@example.org', 'long')
