-- One row: the key that is so many rows behind the beginning of a range; none where it has fewer.
SELECT pg_catalog.json_build_array({texts})::text
  FROM {table} AS {alias}
 WHERE {range}
 ORDER BY {ascending}
OFFSET {offset}
 LIMIT 1
