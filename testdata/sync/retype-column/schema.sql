CREATE SCHEMA "Odd Schema";
CREATE TABLE "Odd Schema"."select" (
    "order" int NOT NULL DEFAULT 7 CHECK ("order" > 0),
    id int PRIMARY KEY,
    note text,
    CONSTRAINT "two ""columns""" CHECK ("select"."order" < id * 1000),
    UNIQUE (id, "order")
);
INSERT INTO "Odd Schema"."select" SELECT n, n, 'note ' || n FROM generate_series(1, 40) n;
CREATE INDEX by_order ON "Odd Schema"."select" ("order" DESC NULLS LAST) INCLUDE (note) WITH (fillfactor = 70) WHERE "order" <> 5;
CREATE UNIQUE INDEX "Unique Index" ON "Odd Schema"."select" (("order" + 1), lower(note));
ALTER TABLE "Odd Schema"."select" ALTER "order" SET STATISTICS 77;
ALTER TABLE "Odd Schema"."select" ALTER "order" SET (n_distinct = -0.5);
COMMENT ON COLUMN "Odd Schema"."select"."order" IS 'it''s the order';
COMMENT ON CONSTRAINT "two ""columns""" ON "Odd Schema"."select" IS 'a check';
COMMENT ON INDEX "Odd Schema".by_order IS 'an index';
GRANT SELECT ("order"), UPDATE ("order") ON "Odd Schema"."select" TO PUBLIC, pg_monitor;
GRANT INSERT ("order") ON "Odd Schema"."select" TO pg_monitor WITH GRANT OPTION;
-- As large as what is not written in a moment.
UPDATE pg_class SET reltuples = 1000000 WHERE relkind = 'r' AND relname IN ('select', 't', 'acc', 'mov');
CREATE TABLE t (id int PRIMARY KEY, a text, b text, c varchar(10) COLLATE "C", d timestamp, e numeric(10, 2), f int[], g text NOT NULL, "Full Name" text);
INSERT INTO t SELECT n, n::text, '{"a":1}', 'c' || n, '2024-01-01', n * 1.25, ARRAY[n], 'good', 'x' || n FROM generate_series(1, 20) n;
CREATE INDEX ON t USING gin (f);
-- As large as what is not written in a moment.
UPDATE pg_class SET reltuples = 1000000 WHERE relkind = 'r' AND relname IN ('select', 't', 'acc', 'mov');
