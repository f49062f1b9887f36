CREATE INDEX ON orders (customer_id);
CREATE INDEX IF NOT EXISTS "Orders by Amount" ON public.orders ("Amount");
