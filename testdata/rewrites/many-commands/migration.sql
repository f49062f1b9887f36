ALTER TABLE IF EXISTS orders
    ADD COLUMN kind text NOT NULL DEFAULT 'plain, simple' CHECK (kind <> '')  /* a comment */,
    DROP COLUMN old,
    ALTER COLUMN note SET NOT NULL, -- another, with a comma
    ALTER COLUMN note SET DEFAULT 'none',
    ADD CONSTRAINT amount_fits CHECK ("Amount" < 1000000),
    ADD FOREIGN KEY (customer_id) REFERENCES customers;
