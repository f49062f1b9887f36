-- What broken REINDEX … CONCURRENTLY left behind, on the table of the index or table $2 in schema $1, its partitions and what is too long for their rows (TOAST); in all of the schema, or database, where that is no relation: oid, valid, being built, how to drop it, name.
SELECT c.oid,
       i.indisvalid,
       EXISTS (SELECT FROM pg_catalog.pg_stat_progress_create_index AS p WHERE p.index_relid OPERATOR(pg_catalog.=) c.oid),
       pg_catalog.format('DROP INDEX CONCURRENTLY %I.%I', n.nspname, c.relname),
       pg_catalog.format('%I.%I', n.nspname, c.relname)
  FROM pg_catalog.pg_index AS i
  JOIN pg_catalog.pg_class AS c ON c.oid OPERATOR(pg_catalog.=) i.indexrelid
  JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
  JOIN pg_catalog.pg_class AS t
       ON i.indrelid OPERATOR(pg_catalog.=) t.oid
       OR i.indrelid OPERATOR(pg_catalog.=) t.reltoastrelid
  JOIN pg_catalog.pg_namespace AS tn ON tn.oid OPERATOR(pg_catalog.=) t.relnamespace
 CROSS JOIN (SELECT pg_catalog.to_regclass(
                        CASE WHEN $1 OPERATOR(pg_catalog.=) '' THEN pg_catalog.quote_ident($2)
                             ELSE pg_catalog.concat(pg_catalog.quote_ident($1), '.', pg_catalog.quote_ident($2)) END)::oid AS oid) AS named
  LEFT JOIN pg_catalog.pg_index AS named_index ON named_index.indexrelid OPERATOR(pg_catalog.=) named.oid
 WHERE NOT i.indisvalid
   AND c.relname::text OPERATOR(pg_catalog.~) '_cc(new|old)[0-9]*$'
   AND t.relkind OPERATOR(pg_catalog.<>) 't'
   AND (t.oid OPERATOR(pg_catalog.=) COALESCE(named_index.indrelid, named.oid)
        OR t.oid IN (SELECT part.relid
                       FROM pg_catalog.pg_partition_tree(COALESCE(named_index.indrelid, named.oid)) AS part)
        OR named.oid IS NULL AND ($1 OPERATOR(pg_catalog.=) '' OR tn.nspname::text OPERATOR(pg_catalog.=) $1))
