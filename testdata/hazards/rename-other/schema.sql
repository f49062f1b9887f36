CREATE SEQUENCE invoice_number;
CREATE TABLE users (id bigint PRIMARY KEY, mail text);
CREATE INDEX users_mail ON users (mail);
