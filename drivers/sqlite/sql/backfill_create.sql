-- Makes the table of checkpoints: a row for each step that is under way in batches.
CREATE TABLE IF NOT EXISTS main."{prefix}_backfill" (
    version    TEXT NOT NULL,
    unit       INTEGER NOT NULL,
    format     INTEGER NOT NULL,
    digest     TEXT NOT NULL,
    relation   TEXT NOT NULL,
    "key"      TEXT NOT NULL,
    lo         TEXT NOT NULL,
    upto       TEXT NOT NULL,
    filenode   INTEGER NOT NULL,
    "rows"     INTEGER NOT NULL,
    batches    INTEGER NOT NULL,
    visited    INTEGER NOT NULL,
    total      INTEGER NOT NULL,
    batch_size INTEGER NOT NULL,
    paused_us  INTEGER NOT NULL,
    started_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    run        TEXT NOT NULL,
    PRIMARY KEY (version, unit)
) WITHOUT ROWID
