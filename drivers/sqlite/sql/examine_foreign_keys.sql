-- Returns the tables that have rows without a parent: table, parent, how many.
SELECT "table", parent, count(*)
FROM pragma_foreign_key_check
GROUP BY 1, 2
ORDER BY 1, 2
LIMIT 100
