SET statement_timeout TO 0;
CREATE INDEX CONCURRENTLY orders_user ON orders (user_id);
