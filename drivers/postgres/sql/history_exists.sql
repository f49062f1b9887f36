-- One row: whether the schema $1, and in it the tables history and event, exist, all as one snapshot has it:
-- to_regclass() sees what is committed by now, and would find only the second of two tables that were made between
-- its calls. Its own column is there for the error that a role gets which may not use the schema.
WITH tables AS (
    SELECT t.relname
      FROM pg_catalog.pg_class AS t
      JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) t.relnamespace
     WHERE n.nspname::text OPERATOR(pg_catalog.=) $1
       AND t.relname OPERATOR(pg_catalog.=) ANY ('{history,event}'::pg_catalog.name[]))
SELECT EXISTS (SELECT FROM pg_catalog.pg_namespace AS n WHERE n.nspname::text OPERATOR(pg_catalog.=) $1),
       EXISTS (SELECT FROM tables AS t WHERE t.relname OPERATOR(pg_catalog.=) 'history'::pg_catalog.name),
       EXISTS (SELECT FROM tables AS t WHERE t.relname OPERATOR(pg_catalog.=) 'event'::pg_catalog.name),
       pg_catalog.to_regclass($2)
