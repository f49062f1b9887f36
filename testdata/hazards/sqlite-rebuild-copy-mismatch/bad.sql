PRAGMA foreign_keys = OFF;
CREATE TABLE users_new (id integer PRIMARY KEY, age text, email text);
INSERT INTO users_new SELECT * FROM users;
DROP TABLE users;
ALTER TABLE users_new RENAME TO users;
