-- Triggers that are no part of a key or foreign key: table, function, the table of FROM, columns of UPDATE OF, other columns that WHEN mentions, fields by their keys.
SELECT t.tgrelid,
       t.tgfoid,
       t.tgconstrrelid,
       t.tgattr,
       ARRAY(SELECT d.refobjsubid
               FROM pg_catalog.pg_depend AS d
              WHERE d.classid = 'pg_catalog.pg_trigger'::pg_catalog.regclass AND d.objid = t.oid
                AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid = t.tgrelid
                AND d.refobjsubid > 0 AND d.refobjsubid <> ALL (t.tgattr::pg_catalog.int2[])
              ORDER BY d.refobjsubid),
       t.tgname AS name,
       t.tgtype AS type,
       t.tgenabled AS enabled,
       t.tgconstraint <> 0 AS is_constraint,
       (t.tgtype & 1) = 1 AS is_row
  FROM pg_catalog.pg_trigger AS t
  LEFT JOIN pg_catalog.pg_constraint AS k ON k.oid = t.tgconstraint
 WHERE NOT t.tgisinternal OR t.tgconstraint = 0 OR k.contype = 't'
 ORDER BY t.tgrelid, t.tgname
