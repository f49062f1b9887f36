CREATE TABLE events (at date NOT NULL, who text) PARTITION BY RANGE (at);
