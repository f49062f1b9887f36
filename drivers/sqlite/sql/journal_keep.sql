-- The journal's file stays between two transactions; only its header is wiped.
PRAGMA main.journal_mode = PERSIST
