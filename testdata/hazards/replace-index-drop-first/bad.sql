DROP INDEX CONCURRENTLY users_email;
CREATE INDEX CONCURRENTLY users_email_name ON users (email, name);
