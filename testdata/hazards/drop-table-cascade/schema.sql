CREATE TABLE invoices (id bigint PRIMARY KEY, total numeric);
CREATE VIEW open_invoices AS SELECT id FROM invoices;
