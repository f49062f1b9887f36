CREATE TABLE events (at date NOT NULL, who text) PARTITION BY RANGE (at);
CREATE TABLE events_2020 (at date NOT NULL, who text);
