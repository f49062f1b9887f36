CREATE TABLE orders (id bigint PRIMARY KEY, user_id bigint NOT NULL REFERENCES users);
CREATE INDEX orders_user ON orders (user_id);
