CREATE TABLE events_old (at date NOT NULL, who text);
