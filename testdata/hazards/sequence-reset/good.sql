ALTER SEQUENCE invoice_number CACHE 50;
