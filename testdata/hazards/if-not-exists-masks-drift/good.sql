CREATE TABLE IF NOT EXISTS invoices (id bigint PRIMARY KEY, note text);
