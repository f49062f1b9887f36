CREATE TABLE places (id int, "Country" text NOT NULL) PARTITION BY LIST ("Country");
CREATE TABLE places_rest PARTITION OF places DEFAULT;
INSERT INTO places SELECT n, 'x' FROM generate_series(1, 20000) n;
CREATE TABLE "Places, west" (LIKE places);
INSERT INTO "Places, west" SELECT n, CASE n % 2 WHEN 0 THEN 'it''s (a)' ELSE 'pt' END FROM generate_series(1, 20000) n;
ANALYZE;
