CREATE SCHEMA "Odd Schema";
CREATE TABLE "Odd Schema"."select" (
    "Full ""Name""" varchar(40) DEFAULT 'it''s $migrate$ here',
    "order" int,
    "this is a name of sixty-three bytes, which is the most there is" int,
    PRIMARY KEY ("order"),
    UNIQUE ("Full ""Name""", "this is a name of sixty-three bytes, which is the most there is")
);
INSERT INTO "Odd Schema"."select" SELECT 'n' || n, n, n FROM generate_series(1, 20) n;
CREATE INDEX "Full ""Name""" ON "Odd Schema"."select" (lower("Full ""Name""")) WHERE "order" > 0;
CREATE TABLE "Odd Schema".t ("t" int PRIMARY KEY, "order" json);
INSERT INTO "Odd Schema".t VALUES (1, '[1]');
