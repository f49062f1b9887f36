-- Returns the texts of the schema in the order of creation, without SQLite's own objects, without the
-- tables behind virtual tables (creating the virtual table makes them) and without ours (?1 to ?4).
SELECT sql
FROM main.sqlite_schema
WHERE sql IS NOT NULL
  AND name NOT LIKE 'sqlite\_%' ESCAPE '\'
  AND lower(tbl_name) NOT IN (lower(?1), lower(?2), lower(?3), lower(?4))
  AND name NOT IN (SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'shadow')
ORDER BY rowid
