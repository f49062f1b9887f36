CREATE TABLE events (id integer NOT NULL, kind text, at date NOT NULL, n integer) PARTITION BY RANGE (at);
CREATE TABLE events_2023 PARTITION OF events FOR VALUES FROM ('2023-01-01') TO ('2024-01-01');
CREATE TABLE events_2024 PARTITION OF events FOR VALUES FROM ('2024-01-01') TO ('2025-01-01') PARTITION BY LIST (kind);
CREATE TABLE events_2024_k PARTITION OF events_2024 DEFAULT;
INSERT INTO events SELECT g, 'k' || g % 4, date '2023-01-01' + g, g % 50 FROM generate_series(1, 700) g;

-- migration
CREATE INDEX ON events (kind, lower(kind));
