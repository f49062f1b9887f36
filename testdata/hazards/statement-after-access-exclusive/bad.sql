ALTER TABLE users ADD COLUMN a int;
SELECT count(*) FROM orders;
