CREATE TABLE users (id integer PRIMARY KEY, email text, age text);
CREATE INDEX users_age ON users (age);
