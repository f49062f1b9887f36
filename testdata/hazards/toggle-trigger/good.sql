ALTER TABLE users SET (fillfactor = 90);
