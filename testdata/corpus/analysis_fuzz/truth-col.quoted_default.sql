CREATE TABLE "Odd Name" ("Key" int PRIMARY KEY, "a b" text, n int); INSERT INTO "Odd Name" SELECT g, 'x', g FROM generate_series(1,300) g;
-- migration
ALTER TABLE "Odd Name" ADD COLUMN "New Col" int DEFAULT 5;
