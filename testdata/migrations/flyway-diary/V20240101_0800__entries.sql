CREATE TABLE entry (
    id INTEGER PRIMARY KEY,
    written_on TEXT NOT NULL,
    text TEXT NOT NULL
);
