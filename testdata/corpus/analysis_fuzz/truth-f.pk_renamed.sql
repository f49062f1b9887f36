CREATE SCHEMA shop; CREATE TABLE shop.item (id bigint PRIMARY KEY, name varchar(30), price numeric(8,2), made timestamp, qty int, tags text[]); INSERT INTO shop.item SELECT g, 'n'||g, g, '2024-01-01', g, '{}' FROM generate_series(1,300) g; ALTER TABLE shop.item RENAME CONSTRAINT item_pkey TO "The Key";
-- migration
ALTER TABLE shop.item ALTER qty TYPE bigint;
