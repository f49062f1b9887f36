-- Makes the table whose only row names the run that is under way.
CREATE TABLE IF NOT EXISTS main."{prefix}_lock" (
    id       INTEGER PRIMARY KEY CHECK (id = 1),
    run      TEXT NOT NULL,
    who      TEXT NOT NULL,
    doing    TEXT NOT NULL,
    since_us INTEGER NOT NULL,
    host     TEXT NOT NULL,
    pid      INTEGER NOT NULL,
    process  TEXT NOT NULL
)
