-- Readings come once a minute; the newest ones are asked for most.

-- migrate:up
CREATE TABLE reading (
    station_id INTEGER NOT NULL REFERENCES station (id),
    taken_at INTEGER NOT NULL,
    celsius REAL NOT NULL,
    PRIMARY KEY (station_id, taken_at)
) WITHOUT ROWID;

-- migrate:down
DROP TABLE reading;
