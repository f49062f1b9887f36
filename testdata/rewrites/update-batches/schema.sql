CREATE TABLE orders (id bigint NOT NULL, shop int NOT NULL, state text, total int, cents bigint, PRIMARY KEY (shop, id));
INSERT INTO orders SELECT n, n % 5, CASE WHEN n % 3 = 0 THEN 'open' END, n FROM generate_series(1, 20000) n;
CREATE TABLE "Odd ""t" (a int NOT NULL UNIQUE, "B b" text, n int NOT NULL DEFAULT 0);
INSERT INTO "Odd ""t" SELECT n, CASE WHEN n % 2 = 0 THEN 'x' END FROM generate_series(1, 20000) n;
CREATE TABLE pages (a int, b text);
INSERT INTO pages SELECT n, 'old' FROM generate_series(1, 20000) n;
ANALYZE;
