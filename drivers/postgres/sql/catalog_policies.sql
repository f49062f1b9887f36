-- Policies: table, other relations that it reads, fields by their keys.
SELECT p.polrelid,
       ARRAY(SELECT DISTINCT d.refobjid
               FROM pg_catalog.pg_depend AS d
              WHERE d.classid = 'pg_catalog.pg_policy'::pg_catalog.regclass AND d.objid = p.oid
                AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid <> p.polrelid
              ORDER BY d.refobjid),
       p.polname AS name,
       true AS is_policy,
       p.polpermissive AS is_permissive,
       pg_catalog.pg_get_expr(p.polqual, p.polrelid) AS using_expression,
       pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid) AS check
  FROM pg_catalog.pg_policy AS p
 ORDER BY p.polrelid, p.polname
