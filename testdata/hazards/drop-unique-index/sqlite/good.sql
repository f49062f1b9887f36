CREATE UNIQUE INDEX users_mail ON users (email);
DROP INDEX users_email;
