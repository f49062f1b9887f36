-- From 14 on: partitions whose DETACH CONCURRENTLY did not come to its end: partition, parent, nothing, how to finish it, 0.
SELECT format('%I.%I', cn.nspname, c.relname),
       format('%I.%I', pn.nspname, p.relname),
       '',
       format('ALTER TABLE %I.%I DETACH PARTITION %I.%I FINALIZE', pn.nspname, p.relname, cn.nspname, c.relname),
       0
  FROM pg_inherits AS i
  JOIN pg_class AS p ON p.oid = i.inhparent
  JOIN pg_namespace AS pn ON pn.oid = p.relnamespace
  JOIN pg_class AS c ON c.oid = i.inhrelid
  JOIN pg_namespace AS cn ON cn.oid = c.relnamespace
 WHERE i.inhdetachpending
   AND p.relkind = 'p'
 ORDER BY 1
