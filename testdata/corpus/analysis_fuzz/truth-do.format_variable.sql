CREATE TABLE orders (id integer PRIMARY KEY, customer_id integer, note text, qty integer);
INSERT INTO orders SELECT g, 1 + g % 200, 'note ' || g, g % 9 + 1 FROM generate_series(1, 500) g;

-- migration
DO $$ DECLARE t text := 'orders'; BEGIN EXECUTE format('ALTER TABLE %I ADD COLUMN %I integer', t, 'x'); END $$;
