-- Returns the name of the table that begins at page ?1.
SELECT name
FROM main.sqlite_schema
WHERE type = 'table' AND rootpage = ?1
