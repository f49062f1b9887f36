-- Statistics objects: relation, columns that they name or mention, fields by their keys.
SELECT s.stxrelid,
       ARRAY(SELECT d.refobjsubid
               FROM pg_catalog.pg_depend AS d
              WHERE d.classid = 'pg_catalog.pg_statistic_ext'::pg_catalog.regclass AND d.objid = s.oid
                AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjsubid > 0
              ORDER BY d.refobjsubid),
       n.nspname AS schema,
       s.stxname AS name
  FROM pg_catalog.pg_statistic_ext AS s
  JOIN pg_catalog.pg_namespace AS n ON n.oid = s.stxnamespace
 ORDER BY n.nspname, s.stxname
