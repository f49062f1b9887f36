CREATE INDEX users_email ON users USING hash (email);
