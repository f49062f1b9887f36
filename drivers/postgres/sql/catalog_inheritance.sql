-- Parents in order: child, parent; of tables, partitions and partitioned indexes.
SELECT i.inhrelid, i.inhparent
  FROM pg_catalog.pg_inherits AS i
 ORDER BY i.inhrelid, i.inhseqno
