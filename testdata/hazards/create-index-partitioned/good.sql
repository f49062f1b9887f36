CREATE INDEX events_who ON ONLY events (who);
CREATE INDEX CONCURRENTLY events_2020_who ON events_2020 (who);
ALTER INDEX events_who ATTACH PARTITION events_2020_who;
