CREATE TABLE tt (id int PRIMARY KEY, x varchar(20), y int, z numeric(6,2), w timestamp(3)); INSERT INTO tt (id) SELECT generate_series(1,200); CREATE INDEX a ON tt (x); CREATE INDEX b ON tt (upper(x)); CREATE INDEX c ON tt (y) WHERE x IS NOT NULL; CREATE INDEX d ON tt (y);
-- migration
ALTER TABLE tt ALTER x TYPE text;
