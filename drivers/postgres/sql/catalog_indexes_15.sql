-- From 15 on: unique indexes whose nulls count as equal.
SELECT i.indexrelid, i.indnullsnotdistinct AS is_nulls_not_distinct
  FROM pg_catalog.pg_index AS i
 WHERE i.indnullsnotdistinct
