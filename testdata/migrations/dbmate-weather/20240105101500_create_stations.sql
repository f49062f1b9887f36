-- migrate:up
CREATE TABLE station (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    height_m REAL NOT NULL DEFAULT 0
);

-- migrate:down
DROP TABLE station;
