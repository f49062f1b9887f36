ALTER TABLE events_new ADD CONSTRAINT events_new_bound CHECK (day IS NOT NULL AND day >= 1001 AND day < 1101) NOT VALID;
ALTER TABLE events_new VALIDATE CONSTRAINT events_new_bound;
ALTER TABLE events_rest ADD CONSTRAINT events_rest_bound CHECK (NOT (day IS NOT NULL AND day >= 1001 AND day < 1101)) NOT VALID;
ALTER TABLE events_rest VALIDATE CONSTRAINT events_rest_bound;
ALTER TABLE events ATTACH PARTITION events_new FOR VALUES FROM (1001) TO (1101);
ALTER TABLE events_new DROP CONSTRAINT events_new_bound;
ALTER TABLE events_rest DROP CONSTRAINT events_rest_bound;
