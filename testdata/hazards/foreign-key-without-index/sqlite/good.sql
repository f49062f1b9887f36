CREATE TABLE orders (id integer PRIMARY KEY, user_id integer REFERENCES users);
CREATE INDEX orders_user ON orders (user_id);
