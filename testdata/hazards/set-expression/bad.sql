ALTER TABLE people ALTER COLUMN lower_name SET EXPRESSION AS (lower(btrim(name)));
