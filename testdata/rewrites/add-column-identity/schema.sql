CREATE TABLE orders (id int PRIMARY KEY, note text);
INSERT INTO orders SELECT n, 'note ' || n FROM generate_series(1, 20000) n;
CREATE TABLE lines (note text);
INSERT INTO lines SELECT 'note ' || n FROM generate_series(1, 20000) n;
CREATE TABLE "Odd names" ("Id" int PRIMARY KEY);
INSERT INTO "Odd names" SELECT n FROM generate_series(1, 12000) n;
ANALYZE;
