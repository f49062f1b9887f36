DROP TABLE archive.invoices;
DROP SCHEMA archive;
