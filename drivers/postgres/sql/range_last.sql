-- One row: the highest key of a table, its values as texts; none where it is empty.
SELECT pg_catalog.json_build_array({texts})::text
  FROM {table} AS {alias}
 ORDER BY {descending}
 LIMIT 1
