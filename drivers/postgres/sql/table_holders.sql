-- Who is in the way of locks, a row for each transaction: the columns of blockers_read.sql, the virtual transaction, whether it is an autovacuum worker that gives way, deadlock_timeout in milliseconds. $1: tables, $2: for each the wanted mode, $3: the modes that conflict with it, between commas.
SELECT h.pid,
       a.usename,
       a.application_name,
       pg_catalog.host(a.client_addr),
       a.state,
       a.backend_type,
       (pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-) a.xact_start) OPERATOR(pg_catalog.*) 1000000)::bigint,
       a.query,
       h.wanted,
       'relation',
       h.relkind,
       h.name,
       h.held,
       coalesce(a.wait_event_type OPERATOR(pg_catalog.=) 'Lock', false),
       h.virtualtransaction,
       -- an autovacuum worker has no role, which also those see who see nothing else of it
       h.pid OPERATOR(pg_catalog.<>) 0
         AND a.usename IS NULL
         AND coalesce(a.backend_type, 'autovacuum worker') OPERATOR(pg_catalog.=) 'autovacuum worker'
         AND pg_catalog.strpos(coalesce(a.query, ''), 'to prevent wraparound') OPERATOR(pg_catalog.=) 0,
       (SELECT s.setting FROM pg_catalog.pg_settings AS s WHERE s.name OPERATOR(pg_catalog.=) 'deadlock_timeout')
  FROM (SELECT DISTINCT ON (l.pid, l.virtualtransaction)
               coalesce(l.pid, 0) AS pid,
               l.virtualtransaction,
               w.wanted,
               w.name,
               c.relkind,
               CASE WHEN l.granted THEN l.mode END AS held
          FROM ROWS FROM (pg_catalog.unnest($1::text[]), pg_catalog.unnest($2::text[]), pg_catalog.unnest($3::text[])) AS w (name, wanted, conflicts)
          JOIN pg_catalog.pg_class AS c ON c.oid OPERATOR(pg_catalog.=) pg_catalog.to_regclass(w.name)
          JOIN pg_catalog.pg_locks AS l
            ON l.locktype OPERATOR(pg_catalog.=) 'relation'
           AND l.relation OPERATOR(pg_catalog.=) c.oid
           AND l.mode OPERATOR(pg_catalog.=) ANY (pg_catalog.string_to_array(w.conflicts, ','))
         WHERE l.database OPERATOR(pg_catalog.=) (SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database())
           AND (l.pid IS NULL OR l.pid OPERATOR(pg_catalog.<>) pg_catalog.pg_backend_pid())
         ORDER BY l.pid, l.virtualtransaction, l.granted DESC) AS h
  LEFT JOIN pg_catalog.pg_stat_activity AS a ON a.pid OPERATOR(pg_catalog.=) h.pid
 ORDER BY h.held IS NULL, a.xact_start NULLS LAST, h.pid
 LIMIT 50
