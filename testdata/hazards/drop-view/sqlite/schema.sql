CREATE TABLE users (id integer PRIMARY KEY, email text, age text);
CREATE VIEW mails AS SELECT email FROM users;
