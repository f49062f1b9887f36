-- The key of the row that is so many rows ({offset}) behind the first one of a range; no row: the range has fewer.
SELECT {keys}
FROM main.{table} AS {alias}
WHERE {range}
ORDER BY {keys}
LIMIT 1 OFFSET {offset}
