-- Bytes on disk of what has storage: relation, without its indexes, of its rows alone. What somebody has locked so that we would wait is left out.
SELECT c.oid,
       CASE c.relkind WHEN 'i' THEN pg_catalog.pg_relation_size(c.oid) ELSE pg_catalog.pg_table_size(c.oid) END,
       CASE c.relkind WHEN 'i' THEN 0 ELSE pg_catalog.pg_relation_size(c.oid) END
  FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'm', 'i') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
   AND c.oid <> ALL (ARRAY(SELECT l.relation
                             FROM pg_catalog.pg_locks AS l
                            WHERE l.mode = 'AccessExclusiveLock' AND l.relation IS NOT NULL
                              AND l.database = (SELECT d.oid FROM pg_catalog.pg_database AS d
                                                 WHERE d.datname = pg_catalog.current_database())))
