ALTER SEQUENCE invoice_number RENAME TO invoice_no;
