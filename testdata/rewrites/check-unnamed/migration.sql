ALTER TABLE public.orders ADD CHECK ("Amount" > 0), ADD CHECK (id > 0 AND customer_id > 0);
ALTER TABLE ONLY orders ADD COLUMN stars int DEFAULT 3 CONSTRAINT few_stars CHECK (stars < 6) NOT NULL CHECK (stars > 0);
