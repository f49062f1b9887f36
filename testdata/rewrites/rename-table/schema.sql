DO $$ BEGIN
    IF to_regrole('reader') IS NULL THEN
        CREATE ROLE reader;
        CREATE ROLE "Odd role";
    END IF;
END $$;
CREATE TABLE customers (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, email text NOT NULL, note text DEFAULT 'new');
CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint REFERENCES customers);
CREATE VIEW emails AS SELECT email FROM customers;
ALTER TABLE customers ENABLE ROW LEVEL SECURITY;
CREATE POLICY all_of_them ON customers USING (true);
GRANT SELECT, INSERT ON customers TO reader;
GRANT UPDATE (note) ON customers TO "Odd role" WITH GRANT OPTION;
GRANT SELECT ON customers TO PUBLIC;
INSERT INTO customers (email) SELECT 'user' || n FROM generate_series(1, 1000) n;
INSERT INTO orders SELECT n, n FROM generate_series(1, 500) n;
ANALYZE;
