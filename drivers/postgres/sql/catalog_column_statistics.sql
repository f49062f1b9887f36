-- What ANALYZE knows of columns, without any value of theirs: schema, table, column, fields by their keys. With those of its children for a table that has none of its own.
SELECT s.schemaname, s.tablename, s.attname,
       s.null_frac AS null_fraction,
       s.n_distinct AS "distinct"
  FROM pg_catalog.pg_stats AS s
 WHERE s.schemaname !~ '^pg_' AND s.schemaname <> 'information_schema'
 ORDER BY s.inherited DESC
