CREATE TABLE users (id bigint PRIMARY KEY, email text, name text);
CREATE INDEX users_email ON users (email);
CREATE INDEX users_email_name ON users (email, name);
