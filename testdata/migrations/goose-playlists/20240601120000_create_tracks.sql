-- +goose Up
CREATE TABLE track (
    id INTEGER PRIMARY KEY,
    title TEXT NOT NULL,
    seconds INTEGER NOT NULL
);
-- +goose Down
DROP TABLE track;
