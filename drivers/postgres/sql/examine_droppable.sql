-- How to drop the index with OID $1 without stopping anybody. No row where it is valid, is being built, belongs to a partitioned table, or is gone.
SELECT pg_catalog.format('DROP INDEX CONCURRENTLY %I.%I', n.nspname, c.relname)
  FROM pg_catalog.pg_index AS i
  JOIN pg_catalog.pg_class AS c ON c.oid OPERATOR(pg_catalog.=) i.indexrelid
  JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
 WHERE c.oid::bigint OPERATOR(pg_catalog.=) $1
   AND c.relkind OPERATOR(pg_catalog.=) 'i'
   AND NOT i.indisvalid
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_stat_progress_create_index AS p WHERE p.index_relid OPERATOR(pg_catalog.=) c.oid)
