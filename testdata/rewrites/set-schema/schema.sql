CREATE SCHEMA archive;
CREATE SCHEMA "Odd";
CREATE TABLE "Odd"."T" (id serial PRIMARY KEY, note text);
CREATE TABLE events (id bigint PRIMARY KEY, at timestamp with time zone) PARTITION BY RANGE (id);
CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM (0) TO (1000);
INSERT INTO events SELECT n, '2026-01-01' FROM generate_series(1, 900) n;
INSERT INTO "Odd"."T" (note) SELECT 'n' || n FROM generate_series(1, 900) n;
ANALYZE;
