DROP VIEW names;
ALTER TABLE users ALTER COLUMN name TYPE varchar(40);
CREATE VIEW names AS SELECT name FROM users;
