SET statement_timeout TO '5s';
CREATE INDEX CONCURRENTLY orders_user ON orders (user_id);
