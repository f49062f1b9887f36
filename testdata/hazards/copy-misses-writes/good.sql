CREATE TABLE kinds (name text PRIMARY KEY);
INSERT INTO kinds (name) SELECT DISTINCT note FROM orders WHERE note IS NOT NULL;
ALTER TABLE users DROP COLUMN bio;
INSERT INTO kinds (name) VALUES ('other');
ALTER TABLE events RENAME TO old_events;
