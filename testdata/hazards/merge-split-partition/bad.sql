ALTER TABLE events MERGE PARTITIONS (events_2019, events_2020) INTO events_old;
