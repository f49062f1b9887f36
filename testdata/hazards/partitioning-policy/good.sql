CREATE TABLE events (at date NOT NULL);
