-- One row when the database $2 exists.
SELECT 1 FROM pg_catalog.pg_database AS d WHERE d.datname::text OPERATOR(pg_catalog.=) $2 AND $1::text IS NOT NULL
