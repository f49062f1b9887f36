-- One row: of how many statements of this database {extension}.pg_stat_statements does not show the text.
SELECT pg_catalog.count(*)
  FROM {extension}.pg_stat_statements AS s
 WHERE s.dbid OPERATOR(pg_catalog.=)
       (SELECT d.oid FROM pg_catalog.pg_database AS d
         WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database())
   AND s.query OPERATOR(pg_catalog.=) '<insufficient privilege>'
