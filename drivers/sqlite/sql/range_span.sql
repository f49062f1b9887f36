-- How far the first and the last key of a table are apart: as many rows as it can have at most. For keys of one number.
SELECT CAST(max({keys}) - min({keys}) + 1 AS INTEGER)
FROM main.{table} AS {alias}
