CREATE INDEX events_who ON events (who);
