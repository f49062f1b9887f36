-- From 18 on: constraints that are not enforced, or over periods: oid, fields by their keys.
SELECT k.oid,
       k.conenforced AS is_enforced,
       k.conperiod AS is_period
  FROM pg_catalog.pg_constraint AS k
 WHERE k.conrelid <> 0 AND (NOT k.conenforced OR k.conperiod)
