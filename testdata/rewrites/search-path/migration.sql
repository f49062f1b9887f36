SET search_path = app, public;
ALTER TABLE orders ADD CHECK (n > 0), ADD UNIQUE (n), ALTER n SET NOT NULL;
CREATE INDEX ON orders (n);
SET search_path = public;
ALTER TABLE orders ADD CHECK (n > 0);
ALTER TABLE app.orders ADD CONSTRAINT q FOREIGN KEY (n) REFERENCES orders (id);
