-- Returns how many rows of a table fulfil a condition ({table} and {condition} are filled in, quoted).
SELECT count(*)
FROM main."{table}"
WHERE {condition}
