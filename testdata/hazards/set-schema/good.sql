CREATE VIEW archive.users AS SELECT * FROM users;
