PRAGMA foreign_keys = OFF;
CREATE TABLE users_new (id integer PRIMARY KEY AUTOINCREMENT, email text, age text);
INSERT INTO users_new (id, email, age) SELECT id, email, age FROM users;
UPDATE sqlite_sequence SET seq = (SELECT seq FROM sqlite_sequence WHERE name = 'users') WHERE name = 'users_new';
DROP TABLE users;
ALTER TABLE users_new RENAME TO users;
