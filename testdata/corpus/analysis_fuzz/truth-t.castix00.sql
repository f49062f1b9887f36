CREATE DOMAIN dom AS varchar(10); CREATE DOMAIN pos AS int CHECK (VALUE > 0); CREATE TABLE tt (id int PRIMARY KEY, x dom); INSERT INTO tt (id) SELECT generate_series(1,200); CREATE INDEX ix ON tt (id, x);
-- migration
ALTER TABLE tt ALTER x TYPE varchar(20);
