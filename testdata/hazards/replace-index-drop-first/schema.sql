CREATE TABLE users (id bigint PRIMARY KEY, email text, name text);
CREATE INDEX users_email ON users (email);
