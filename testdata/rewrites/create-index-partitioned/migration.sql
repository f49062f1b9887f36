CREATE INDEX ON events (who, at);
CREATE UNIQUE INDEX events_key ON events (id, at, who) WITH (fillfactor = 80);
