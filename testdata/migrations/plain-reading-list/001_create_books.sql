CREATE TABLE book (
    id INTEGER PRIMARY KEY,
    isbn TEXT NOT NULL UNIQUE,
    title TEXT NOT NULL,
    pages INTEGER CHECK (pages > 0)
);

CREATE TABLE reading (
    id INTEGER PRIMARY KEY,
    book_id INTEGER NOT NULL REFERENCES book (id),
    started_on TEXT NOT NULL,
    finished_on TEXT
);
