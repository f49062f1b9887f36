CREATE TABLE events (id integer NOT NULL, kind text, at date NOT NULL, n integer) PARTITION BY RANGE (at);
CREATE TABLE events_2023 PARTITION OF events FOR VALUES FROM ('2023-01-01') TO ('2024-01-01');
CREATE TABLE events_2024 PARTITION OF events FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
INSERT INTO events SELECT g, 'k' || g % 4, date '2023-01-01' + g, g % 50 FROM generate_series(1, 700) g;
ALTER TABLE events ADD PRIMARY KEY (id, at);
-- migration
CREATE TABLE notes (e integer, at date, FOREIGN KEY (e, at) REFERENCES events);
