CREATE TABLE seats (id bigint PRIMARY KEY, hall int NOT NULL, place int NOT NULL, fax text, CONSTRAINT seats_place UNIQUE (hall, place));
