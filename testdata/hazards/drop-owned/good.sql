ALTER TABLE invoices OWNER TO shop;
