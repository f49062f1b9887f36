CREATE SCHEMA shop; CREATE TABLE shop.item (id bigint PRIMARY KEY, name varchar(30), price numeric(8,2), made timestamp, qty int, tags text[]); INSERT INTO shop.item SELECT g, 'n'||g, g, '2024-01-01', g, '{}' FROM generate_series(1,300) g; CREATE VIEW v AS SELECT qty FROM shop.item; CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$; CREATE TRIGGER t INSTEAD OF INSERT ON v FOR EACH ROW EXECUTE FUNCTION f();
-- migration
ALTER TABLE shop.item DROP COLUMN qty CASCADE;
