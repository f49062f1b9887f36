CREATE TABLE users (id bigint, email text NOT NULL);
CREATE UNIQUE INDEX users_id ON users (id);
CREATE UNIQUE INDEX users_email ON users (email);
