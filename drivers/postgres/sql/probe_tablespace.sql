-- One row when the tablespace $2 exists.
SELECT 1 FROM pg_catalog.pg_tablespace AS t WHERE t.spcname::text OPERATOR(pg_catalog.=) $2 AND $1::text IS NOT NULL
