-- Functions outside system schemas: oid, types of the input arguments, their names (divided by character 1), result, fields by their keys.
SELECT f.oid,
       f.proargtypes,
       CASE WHEN f.proargnames IS NOT NULL
            THEN pg_catalog.array_to_string(ARRAY(
                     SELECT COALESCE(a.name, '')
                       FROM ROWS FROM (pg_catalog.unnest(f.proargnames), pg_catalog.unnest(f.proargmodes))
                            WITH ORDINALITY AS a (name, mode, place)
                      WHERE a.mode IS NULL OR a.mode IN ('i', 'b', 'v')
                      ORDER BY a.place), pg_catalog.chr(1)) END,
       f.prorettype,
       n.nspname AS schema,
       f.proname AS name,
       l.lanname AS language,
       CASE WHEN l.lanname NOT IN ('c', 'internal') THEN f.prosrc END AS body,
       f.provolatile AS volatility,
       f.prokind = 'p' AS is_procedure,
       f.prokind = 'a' AS is_aggregate,
       f.proisstrict AS is_strict,
       f.prosecdef AS is_security_definer,
       f.proconfig IS NOT NULL AS has_settings,
       f.proretset AS returns_set,
       f.pronargdefaults AS default_count,
       e.extname AS extension
  FROM pg_catalog.pg_proc AS f
  JOIN pg_catalog.pg_namespace AS n ON n.oid = f.pronamespace
  JOIN pg_catalog.pg_language AS l ON l.oid = f.prolang
  LEFT JOIN pg_catalog.pg_depend AS d ON d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.objid = f.oid
                                     AND d.objsubid = 0 AND d.deptype = 'e'
  LEFT JOIN pg_catalog.pg_extension AS e ON e.oid = d.refobjid
 WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
 ORDER BY n.nspname, f.proname, f.oid
