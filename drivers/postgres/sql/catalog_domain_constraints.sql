-- What holds for the values of domains: domain, fields by their keys. Before 17 NOT NULL has no name.
SELECT k.contypid,
       k.conname AS name,
       CASE WHEN k.contype = 'c' THEN pg_catalog.pg_get_expr(k.conbin, 0::pg_catalog.oid) END AS check,
       k.contype = 'n' AS is_not_null,
       k.convalidated AS is_valid
  FROM pg_catalog.pg_constraint AS k
 WHERE k.contypid <> 0
 UNION ALL
SELECT t.oid, '', NULL, true, true
  FROM pg_catalog.pg_type AS t
 WHERE t.typtype = 'd' AND t.typnotnull
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint AS k WHERE k.contypid = t.oid AND k.contype = 'n')
 ORDER BY 1, 2
