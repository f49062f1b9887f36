-- Locks on tables and materialized views that the sessions of the run hold, of those that were there before
-- ($2: an array of their OIDs), and when the transaction began, in microseconds. $1: beginning of their
-- application name.
SELECT pg_catalog.format('%I.%I', n.nspname, c.relname), l.mode,
       (pg_catalog.date_part('epoch', a.xact_start) * 1000000)::pg_catalog.int8
  FROM pg_catalog.pg_stat_activity AS a
  JOIN pg_catalog.pg_locks AS l ON l.pid = a.pid AND l.locktype = 'relation' AND l.granted
  JOIN pg_catalog.pg_class AS c ON c.oid = l.relation
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
 WHERE a.datname = pg_catalog.current_database()
   AND pg_catalog.starts_with(a.application_name, $1)
   AND c.relkind IN ('r', 'p', 'm') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
   AND c.oid = ANY ($2::pg_catalog.oid[])
