-- Returns the first page of a table, which stays the same when the table is renamed.
SELECT rootpage
FROM main.sqlite_schema
WHERE type = 'table' AND lower(name) = lower(?1)
