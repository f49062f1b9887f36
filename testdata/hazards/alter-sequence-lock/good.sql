COMMENT ON SEQUENCE invoice_number IS 'numbers of invoices';
