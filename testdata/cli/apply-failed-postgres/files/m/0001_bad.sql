CREATE TABLE a (id int);
INSERT INTO a
	SELECT 'größe', wrong_column FROM a;
