CREATE SCHEMA archive;
CREATE TABLE archive.invoices (id bigint PRIMARY KEY);
