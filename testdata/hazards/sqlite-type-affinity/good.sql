PRAGMA foreign_keys = OFF;
CREATE TABLE users_new (id integer PRIMARY KEY, email text, age integer);
INSERT INTO users_new (id, email, age) SELECT id, email, CAST(age AS integer) FROM users;
DROP TABLE users;
ALTER TABLE users_new RENAME TO users;
