REINDEX INDEX orders_note;
REINDEX (VERBOSE) TABLE public.orders;
