CREATE TABLE orders (id integer PRIMARY KEY, user_id integer NOT NULL);
CREATE INDEX orders_user_id ON orders (user_id);
