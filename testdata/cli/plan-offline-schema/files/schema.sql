PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE users (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT);
INSERT INTO users VALUES (1, 'ada');
DELETE FROM sqlite_sequence;
CREATE TABLE sqlite_sequence(name,seq);
COMMIT;
