ALTER TABLE orders ADD CONSTRAINT one_note UNIQUE (note, customer_id) INCLUDE (id) WITH (fillfactor = 70);
ALTER TABLE orders ADD COLUMN code text UNIQUE;
