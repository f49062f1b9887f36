CREATE TABLE customers (id bigint PRIMARY KEY, fax text);
CREATE VIEW faxes AS SELECT id, fax FROM customers;
