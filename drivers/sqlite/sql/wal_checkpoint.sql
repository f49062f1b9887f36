-- Writes pages of the WAL back into the database as far as nobody is in the way; busy, pages in the WAL, pages that are
-- written back; -1: there is no WAL.
PRAGMA main.wal_checkpoint(PASSIVE)
