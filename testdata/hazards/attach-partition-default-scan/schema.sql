CREATE TABLE events (at date NOT NULL, who text) PARTITION BY RANGE (at);
CREATE TABLE events_other PARTITION OF events DEFAULT;
CREATE TABLE events_2020 (at date NOT NULL, who text);
CREATE TABLE days (at date NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE days_2020 (at date NOT NULL);
