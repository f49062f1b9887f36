-- Returns next to nothing: makes SQLite read the file, notice what is wrong with it, and renew its memory of
-- the schema where another connection changed it.
SELECT 1 FROM main.sqlite_schema LIMIT 1
