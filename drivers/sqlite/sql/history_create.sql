-- Makes the two history tables; the order of columns is the order in which digests are made. Without NOT NULL: its
-- checks would be compiled anew for every migration that changes the schema; reading checks types instead.
CREATE TABLE IF NOT EXISTS main."{prefix}_history" (
    installed_rank    INTEGER PRIMARY KEY,
    version           TEXT,
    description       TEXT,
    kind              TEXT,
    layout            TEXT,
    script            TEXT,
    state             TEXT,
    units_done        INTEGER,
    statements        INTEGER,
    digest_raw        TEXT,
    digest_normalized TEXT,
    digest_tree       TEXT,
    installed_by      TEXT,
    installed_on      TEXT,
    duration_us       INTEGER,
    run               TEXT
);
CREATE TABLE IF NOT EXISTS main."{prefix}_event" (
    id              INTEGER PRIMARY KEY,
    run             TEXT,
    at              TEXT,
    kind            TEXT,
    version         TEXT,
    unit            INTEGER,
    actor           TEXT,
    db_role         TEXT,
    host            TEXT,
    git_commit      TEXT,
    git_author      TEXT,
    plan_digest     TEXT,
    evidence_digest TEXT,
    sql             TEXT,
    duration_us     INTEGER,
    lock_wait_us    INTEGER,
    "rows"          INTEGER,
    sqlstate        TEXT,
    detail          TEXT,
    previous        TEXT,
    digest          TEXT
)
