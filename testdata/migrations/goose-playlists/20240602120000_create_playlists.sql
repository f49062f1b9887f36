-- +goose Up
CREATE TABLE playlist (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
);
CREATE TABLE playlist_track (
    playlist_id INTEGER NOT NULL REFERENCES playlist (id),
    position INTEGER NOT NULL,
    track_id INTEGER NOT NULL REFERENCES track (id),
    PRIMARY KEY (playlist_id, position)
);
-- +goose StatementBegin
CREATE TRIGGER playlist_removed BEFORE DELETE ON playlist
BEGIN
    DELETE FROM playlist_track WHERE playlist_id = OLD.id;
END;
-- +goose StatementEnd
-- +goose Down
DROP TABLE playlist_track;
DROP TABLE playlist;
