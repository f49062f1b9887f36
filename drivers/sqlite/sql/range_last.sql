-- The key of the last row; no row: the table is empty. {keys}, {table}, {alias} and {descending} are filled in.
SELECT {keys}
FROM main.{table} AS {alias}
ORDER BY {descending}
LIMIT 1
