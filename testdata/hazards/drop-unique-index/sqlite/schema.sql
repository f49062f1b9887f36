CREATE TABLE users (id integer PRIMARY KEY, email text, age text);
CREATE UNIQUE INDEX users_email ON users (email);
CREATE INDEX users_age ON users (age);
