SET LOCAL application_name TO 'add note';
CREATE TABLE invoices (id bigint PRIMARY KEY);
