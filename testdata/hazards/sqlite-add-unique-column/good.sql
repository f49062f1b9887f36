ALTER TABLE users ADD COLUMN nick text;
CREATE UNIQUE INDEX users_nick ON users (nick);
