CREATE TABLE events_2021 (LIKE events);
