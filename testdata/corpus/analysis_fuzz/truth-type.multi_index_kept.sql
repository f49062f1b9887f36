CREATE TABLE tt (id int PRIMARY KEY, x varchar(20), y int, z numeric(6,2), w timestamp(3)); INSERT INTO tt (id) SELECT generate_series(1,200); CREATE INDEX a ON tt (x, y); CREATE INDEX b ON tt (y) INCLUDE (x); CREATE UNIQUE INDEX c ON tt (x DESC NULLS LAST);
-- migration
ALTER TABLE tt ALTER x TYPE varchar(40);
