-- How many rows a table has, counted up to {most} ({table} is filled in, quoted).
SELECT count(*)
FROM (SELECT 1 FROM main."{table}" LIMIT {most})
