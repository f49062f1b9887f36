-- The journal's file goes with each transaction, and at once: SQLite's default.
PRAGMA main.journal_mode = DELETE
