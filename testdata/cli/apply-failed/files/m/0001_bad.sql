CREATE TABLE a (id integer);
INSERT INTO nowhere VALUES (1);
