CREATE INDEX CONCURRENTLY users_a ON users (a);
SELECT count(*) FROM orders;
