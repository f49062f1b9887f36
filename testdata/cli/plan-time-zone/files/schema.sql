CREATE TABLE event (id bigint PRIMARY KEY, at timestamp, done timestamptz);
