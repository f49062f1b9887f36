CREATE INDEX CONCURRENTLY users_email_name ON users (email, name);
DROP INDEX CONCURRENTLY users_email;
