CREATE INDEX CONCURRENTLY users_email ON users (email);
ALTER TABLE users DROP COLUMN name;
