-- All types: oid, the element of an array type, the relation of a row type, whether it is a system's, base and its typmod (domains, ranges), fields by their keys.
SELECT t.oid,
       l.oid,
       t.typrelid,
       n.nspname ~ '^pg_' OR n.nspname = 'information_schema',
       CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE r.rngsubtype END,
       CASE WHEN t.typtype = 'd' THEN t.typtypmod ELSE -1 END,
       n.nspname AS schema,
       t.typname AS name,
       t.typtype AS kind,
       CASE WHEN t.typtype = 'd' THEN t.typdefault END AS default_value,
       e.extname AS extension
  FROM pg_catalog.pg_type AS t
  JOIN pg_catalog.pg_namespace AS n ON n.oid = t.typnamespace
  LEFT JOIN pg_catalog.pg_type AS l ON l.oid = t.typelem AND l.typarray = t.oid
  LEFT JOIN pg_catalog.pg_range AS r ON r.rngtypid = t.oid
  LEFT JOIN pg_catalog.pg_depend AS d ON d.classid = 'pg_catalog.pg_type'::pg_catalog.regclass AND d.objid = t.oid
                                     AND d.objsubid = 0 AND d.deptype = 'e'
  LEFT JOIN pg_catalog.pg_extension AS e ON e.oid = d.refobjid
 ORDER BY n.nspname, t.typname
