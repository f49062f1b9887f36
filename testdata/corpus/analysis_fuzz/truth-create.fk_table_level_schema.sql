CREATE SCHEMA crm;
CREATE TABLE crm."Kunden" (id integer PRIMARY KEY, email text, region text);
INSERT INTO crm."Kunden" SELECT g, 'c' || g, 'r' || g % 5 FROM generate_series(1, 200) g;

-- migration
CREATE TABLE crm.orders (id int, kunde int, FOREIGN KEY (kunde) REFERENCES crm."Kunden" ON DELETE SET NULL);
