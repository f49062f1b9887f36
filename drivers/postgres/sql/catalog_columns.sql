-- Columns in order: relation, number, type, typmod, fields by their keys.
SELECT a.attrelid,
       a.attnum,
       a.atttypid,
       a.atttypmod,
       a.attname AS name,
       CASE WHEN a.attcollation <> t.typcollation THEN l.collname END AS collation,
       a.attnotnull AS is_not_null,
       a.attidentity AS identity,
       a.attgenerated AS generated,
       pg_catalog.pg_get_expr(d.adbin, d.adrelid) AS default_value,
       a.attinhcount > 0 AS is_inherited,
       a.attislocal AS is_local,
       a.atthasmissing AS has_missing_value,
       a.attacl AS rights
  FROM pg_catalog.pg_attribute AS a
  JOIN pg_catalog.pg_class AS c ON c.oid = a.attrelid
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
  LEFT JOIN pg_catalog.pg_collation AS l ON l.oid = a.attcollation
  LEFT JOIN pg_catalog.pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
 WHERE a.attnum > 0 AND NOT a.attisdropped
   AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'c')
   AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
 ORDER BY a.attrelid, a.attnum
