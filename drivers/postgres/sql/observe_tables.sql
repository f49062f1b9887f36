-- The tables with these OIDs ($1, an array): name, file, bytes with indexes and TOAST, OID; in its order.
SELECT pg_catalog.format('%I.%I', n.nspname, c.relname), pg_catalog.pg_relation_filenode(c.oid),
       pg_catalog.pg_total_relation_size(c.oid), c.oid
  FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
 WHERE c.oid = ANY ($1::pg_catalog.oid[]) AND c.relkind IN ('r', 'm')
 ORDER BY c.oid
