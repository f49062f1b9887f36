DROP VIEW open_invoices;
DROP TABLE invoices;
