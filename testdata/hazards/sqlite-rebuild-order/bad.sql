PRAGMA foreign_keys = OFF;
ALTER TABLE users RENAME TO users_old;
CREATE TABLE users (id integer PRIMARY KEY, email text, age text);
INSERT INTO users (id, email, age) SELECT id, email, age FROM users_old;
DROP TABLE users_old;
