CREATE TABLE notes (id bigint PRIMARY KEY, user_id bigint);
CREATE INDEX notes_user ON notes (user_id);
