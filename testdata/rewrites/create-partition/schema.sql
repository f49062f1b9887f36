CREATE TABLE customers (id bigint PRIMARY KEY);
INSERT INTO customers SELECT n FROM generate_series(1, 1000) n;
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE SEQUENCE numbers;
CREATE TABLE "Ev" (
    id bigint DEFAULT nextval('numbers'),
    at date NOT NULL,
    who text DEFAULT 'nobody',
    n int CHECK (n > 0),
    dropped int,
    twice int GENERATED ALWAYS AS (n * 2) STORED,
    note text,
    customer_id bigint REFERENCES customers ON DELETE CASCADE,
    PRIMARY KEY (id, at)
) PARTITION BY RANGE (at);
ALTER TABLE "Ev" DROP COLUMN dropped;
ALTER TABLE "Ev" ALTER note SET STORAGE EXTERNAL;
ALTER TABLE "Ev" ADD CONSTRAINT one_a_day UNIQUE (at, who, id) DEFERRABLE;
CREATE INDEX ON "Ev" (lower(who), note);
CREATE INDEX partial ON "Ev" (note) WHERE n > 5;
CREATE STATISTICS together (dependencies) ON who, note FROM "Ev";
COMMENT ON COLUMN "Ev".who IS 'somebody';
COMMENT ON INDEX partial IS 'not all';
CREATE TRIGGER touched BEFORE INSERT OR UPDATE ON "Ev" FOR EACH ROW EXECUTE FUNCTION touch();
CREATE TABLE ev_2024 PARTITION OF "Ev" FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE refers (ev_id bigint, ev_at date, FOREIGN KEY (ev_id, ev_at) REFERENCES "Ev");
INSERT INTO "Ev" (at, n) SELECT '2024-01-01'::date + n % 300, n FROM generate_series(1, 2000) n;
INSERT INTO refers SELECT id, at FROM "Ev";
CREATE TABLE by_hash (id bigint PRIMARY KEY, a int) PARTITION BY HASH (id);
CREATE TABLE by_hash_0 PARTITION OF by_hash FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE lists (id bigint, "Kind of" text, UNIQUE (id, "Kind of")) PARTITION BY LIST ("Kind of");
CREATE SCHEMA other;
ANALYZE;
