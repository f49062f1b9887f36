CREATE INDEX users_a ON users (a);
SELECT count(*) FROM orders;
