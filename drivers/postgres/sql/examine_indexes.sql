-- Indexes that no query uses since their build, or their end, did not come to its end: name, table, state, how to drop it, OID, schema, bare name, bare name of the table, whether no other schema has a relation of that name.
SELECT format('%I.%I', n.nspname, c.relname),
       format('%I.%I', tn.nspname, t.relname),
       CASE WHEN EXISTS (SELECT FROM pg_stat_progress_create_index AS p WHERE p.index_relid = c.oid) THEN 'being built'
            WHEN NOT i.indislive THEN 'dropped'
            WHEN c.relkind = 'I' THEN 'lacks partitions'
            WHEN NOT i.indisready THEN 'not ready'
            ELSE 'invalid' END,
       format(CASE WHEN c.relkind = 'I' THEN 'DROP INDEX %I.%I' ELSE 'DROP INDEX CONCURRENTLY %I.%I' END, n.nspname, c.relname),
       c.oid::bigint,
       n.nspname, c.relname, t.relname,
       NOT EXISTS (SELECT FROM pg_class AS other WHERE other.relname = c.relname AND other.oid <> c.oid)
  FROM pg_index AS i
  JOIN pg_class AS c ON c.oid = i.indexrelid
  JOIN pg_namespace AS n ON n.oid = c.relnamespace
  JOIN pg_class AS t ON t.oid = i.indrelid
  JOIN pg_namespace AS tn ON tn.oid = t.relnamespace
 WHERE NOT (i.indisvalid AND i.indisready AND i.indislive)
   AND c.relpersistence <> 't'
 ORDER BY 1
 LIMIT 500
