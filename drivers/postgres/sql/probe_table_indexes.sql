-- All indexes on the table $2 in schema $1 (empty: by search_path): oid, whether valid and ready, whether being built, how to drop it.
SELECT c.oid,
       i.indisvalid AND i.indisready AND i.indislive,
       EXISTS (SELECT FROM pg_catalog.pg_stat_progress_create_index AS p WHERE p.index_relid OPERATOR(pg_catalog.=) c.oid),
       pg_catalog.format('DROP INDEX CONCURRENTLY %I.%I', n.nspname, c.relname)
  FROM pg_catalog.pg_index AS i
  JOIN pg_catalog.pg_class AS c ON c.oid OPERATOR(pg_catalog.=) i.indexrelid
  JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
 WHERE i.indrelid OPERATOR(pg_catalog.=) pg_catalog.to_regclass(
           CASE WHEN $1 OPERATOR(pg_catalog.=) '' THEN pg_catalog.quote_ident($2)
                ELSE pg_catalog.concat(pg_catalog.quote_ident($1), '.', pg_catalog.quote_ident($2)) END)
 ORDER BY c.oid
