DROP TRIGGER users_note ON users;
