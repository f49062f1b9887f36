CREATE TABLE tiers (id bigint PRIMARY KEY, name text);
INSERT INTO tiers (id, name) VALUES (1, 'free');
