-- Add migration script here
CREATE TABLE command (
    id TEXT PRIMARY KEY,
    text TEXT NOT NULL,
    exit_code INTEGER NOT NULL,
    ran_at INTEGER NOT NULL
);
