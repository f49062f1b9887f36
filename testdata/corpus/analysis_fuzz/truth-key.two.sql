CREATE SCHEMA shop; CREATE TABLE shop.item (id bigint PRIMARY KEY, name varchar(30), price numeric(8,2), made timestamp, qty int, tags text[]); INSERT INTO shop.item SELECT g, 'n'||g, g, '2024-01-01', g, '{}' FROM generate_series(1,300) g;
-- migration
ALTER TABLE shop.item ADD UNIQUE (name, qty), ADD UNIQUE (made, id);
