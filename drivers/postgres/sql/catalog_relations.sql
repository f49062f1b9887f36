-- Relations of every kind outside system schemas: oid, type it is of, bound of a partition, then fields by their keys.
SELECT c.oid,
       c.reloftype,
       pg_catalog.pg_get_expr(c.relpartbound, c.oid),
       n.nspname AS schema,
       c.relname AS name,
       c.relkind AS kind,
       c.relpersistence AS persistence,
       pg_catalog.pg_get_userbyid(c.relowner) AS owner,
       t.spcname AS tablespace,
       CASE WHEN c.relkind IN ('r', 'm', 'p') THEN a.amname END AS access_method,
       s.srvname AS server,
       p.partstrat AS partition_strategy,
       c.relispartition AND c.relkind NOT IN ('i', 'I') AS is_partition,
       c.relrowsecurity AS has_row_security,
       c.relforcerowsecurity AS is_row_security_forced,
       CASE WHEN c.relkind IN ('r', 'p', 'm') THEN c.relreplident END AS replica_identity,
       c.relispopulated AS is_populated,
       e.extname AS extension,
       CASE WHEN c.reltuples < 0 OR (c.reltuples = 0 AND c.relpages = 0) THEN -1 ELSE c.reltuples END AS row_estimate
  FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  LEFT JOIN pg_catalog.pg_tablespace AS t ON t.oid = c.reltablespace
  LEFT JOIN pg_catalog.pg_am AS a ON a.oid = c.relam
  LEFT JOIN pg_catalog.pg_foreign_table AS f ON f.ftrelid = c.oid
  LEFT JOIN pg_catalog.pg_foreign_server AS s ON s.oid = f.ftserver
  LEFT JOIN pg_catalog.pg_partitioned_table AS p ON p.partrelid = c.oid
  LEFT JOIN pg_catalog.pg_depend AS d ON d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid
                                     AND d.objsubid = 0 AND d.deptype = 'e'
  LEFT JOIN pg_catalog.pg_extension AS e ON e.oid = d.refobjid
 WHERE c.relkind IN ('r', 'p', 'i', 'I', 'S', 'v', 'm', 'f', 'c')
   AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
 ORDER BY n.nspname, c.relname
