ALTER TABLE orders ADD CHECK (note <> '' AND orders IS NOT NULL);
ALTER TABLE orders ADD CHECK (orders IS NOT NULL);
ALTER TABLE orders ADD CHECK (orders.note <> 'a');
ALTER TABLE orders ADD CHECK (public.orders.n > 0 AND n < 100000);
ALTER TABLE orders ADD CHECK (n <> 5 OR tableoid <> 0);
ALTER TABLE orders ADD CHECK (tableoid <> 0);
ALTER TABLE orders ADD CHECK (true);
ALTER TABLE orders ADD CHECK ((orders).n > 0);
ALTER TABLE orders ADD CHECK ("Amount" > 0);
