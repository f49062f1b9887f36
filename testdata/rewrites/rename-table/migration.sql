-- Everybody is a client from now on.
ALTER TABLE customers RENAME TO clients;
ALTER INDEX customers_pkey RENAME TO clients_pkey;
INSERT INTO clients (email) VALUES ('last');
