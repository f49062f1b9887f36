-- Constraints of relations, without those of constraint triggers and those that a foreign key has beside itself for each partition it refers to: oid, relation, its columns, index, referenced relation, its columns, parent, fields by their keys.
SELECT k.oid,
       k.conrelid,
       k.conkey,
       k.conindid,
       k.confrelid,
       k.confkey,
       k.conparentid,
       k.conname AS name,
       k.contype AS kind,
       CASE WHEN k.contype = 'c' THEN pg_catalog.pg_get_expr(k.conbin, k.conrelid) END AS check,
       CASE WHEN k.contype = 'f' THEN k.confdeltype END AS on_delete,
       CASE WHEN k.contype = 'f' THEN k.confupdtype END AS on_update,
       k.convalidated AS is_valid,
       k.condeferrable AS is_deferrable,
       k.condeferred AS is_deferred,
       k.contype IN ('c', 'n') AND k.connoinherit AS is_no_inherit,
       k.conislocal AS is_local,
       k.coninhcount > 0 AS is_inherited,
       CASE WHEN k.contype = 'f' THEN pg_catalog.pg_get_constraintdef(k.oid) END AS definition
  FROM pg_catalog.pg_constraint AS k
  JOIN pg_catalog.pg_namespace AS n ON n.oid = k.connamespace
 WHERE k.conrelid <> 0 AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
   AND k.contype <> 't'
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint AS p WHERE p.oid = k.conparentid AND p.conrelid = k.conrelid)
 ORDER BY k.conrelid, k.conname
