-- A default partition that has to be looked at, too.
CREATE TABLE events (day integer NOT NULL, id bigint NOT NULL, body text) PARTITION BY RANGE (day);
CREATE TABLE events_rest PARTITION OF events DEFAULT;
CREATE TABLE events_new (LIKE events);
INSERT INTO events SELECT 1 + g % 100, g, 'event ' || g FROM generate_series(1, :rows / 2) g;
INSERT INTO events_new SELECT 1001 + g % 100, g, 'event ' || g FROM generate_series(1, :rows / 2) g;
CREATE INDEX ON events (id);
CREATE INDEX ON events_new (id);
VACUUM (ANALYZE) events_rest, events_new;
