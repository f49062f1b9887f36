ALTER TABLE orders ADD COLUMN before int;
-- A partial one, with everything.
CREATE UNIQUE INDEX orders_by_note -- the name
    ON orders USING btree (lower(note) DESC, customer_id) INCLUDE (id)
    WITH (fillfactor = 80) WHERE note IS NOT NULL;
COMMENT ON INDEX orders_by_note IS 'made before this';
