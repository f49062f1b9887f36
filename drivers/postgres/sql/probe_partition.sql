-- The partition $2 in schema $1 (empty: by search_path) as part of its parent: whether its detachment is pending, how to finish that. No row when it is detached.
SELECT h.inhdetachpending,
       pg_catalog.format('ALTER TABLE %I.%I DETACH PARTITION %I.%I FINALIZE', pn.nspname, p.relname, cn.nspname, c.relname)
  FROM pg_catalog.pg_inherits AS h
  JOIN pg_catalog.pg_class AS p ON p.oid OPERATOR(pg_catalog.=) h.inhparent
  JOIN pg_catalog.pg_namespace AS pn ON pn.oid OPERATOR(pg_catalog.=) p.relnamespace
  JOIN pg_catalog.pg_class AS c ON c.oid OPERATOR(pg_catalog.=) h.inhrelid
  JOIN pg_catalog.pg_namespace AS cn ON cn.oid OPERATOR(pg_catalog.=) c.relnamespace
 WHERE p.relkind OPERATOR(pg_catalog.=) 'p'
   AND h.inhrelid OPERATOR(pg_catalog.=) pg_catalog.to_regclass(
           CASE WHEN $1 OPERATOR(pg_catalog.=) '' THEN pg_catalog.quote_ident($2)
                ELSE pg_catalog.concat(pg_catalog.quote_ident($1), '.', pg_catalog.quote_ident($2)) END)
