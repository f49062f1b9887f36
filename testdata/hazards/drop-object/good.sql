COMMENT ON SEQUENCE invoice_number IS 'not used since release 12';
