-- One row when the subscription $2 exists in this database.
SELECT 1
  FROM pg_catalog.pg_subscription AS s
  JOIN pg_catalog.pg_database AS d ON d.oid OPERATOR(pg_catalog.=) s.subdbid
 WHERE s.subname::text OPERATOR(pg_catalog.=) $2
   AND d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database()
   AND $1::text IS NOT NULL
