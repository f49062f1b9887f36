-- Whom the backend $1 waits for, a row each: process (0: a prepared transaction), role, application, client address, state, kind of backend, how long its transaction is open in microseconds, its statement, the mode and type of the lock that is waited for, the relation's kind and name, the mode in which it is held, whether the holder waits for a lock itself.
SELECT b.pid,
       a.usename,
       a.application_name,
       pg_catalog.host(a.client_addr),
       a.state,
       a.backend_type,
       (pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-) a.xact_start) OPERATOR(pg_catalog.*) 1000000)::bigint,
       a.query,
       w.mode,
       w.locktype,
       c.relkind,
       pg_catalog.quote_ident(n.nspname) OPERATOR(pg_catalog.||) '.' OPERATOR(pg_catalog.||) pg_catalog.quote_ident(c.relname),
       (SELECT pg_catalog.max(h.mode)
          FROM pg_catalog.pg_locks AS h
         WHERE h.pid OPERATOR(pg_catalog.=) b.pid
           AND h.granted
           AND w.locktype OPERATOR(pg_catalog.=) 'relation'
           AND h.locktype OPERATOR(pg_catalog.=) 'relation'
           AND h.database OPERATOR(pg_catalog.=) w.database
           AND h.relation OPERATOR(pg_catalog.=) w.relation),
       coalesce(a.wait_event_type OPERATOR(pg_catalog.=) 'Lock', false)
  FROM (SELECT l.mode, l.locktype, l.database,
               -- who waits for the end of a transaction because of a row holds a lock on that row
               coalesce(l.relation, (SELECT pg_catalog.max(t.relation)
                                       FROM pg_catalog.pg_locks AS t
                                      WHERE t.pid OPERATOR(pg_catalog.=) $1
                                        AND t.granted
                                        AND l.locktype OPERATOR(pg_catalog.=) 'transactionid'
                                        AND t.locktype OPERATOR(pg_catalog.=) 'tuple')) AS relation
          FROM pg_catalog.pg_locks AS l
         WHERE l.pid OPERATOR(pg_catalog.=) $1
           AND NOT l.granted
         LIMIT 1) AS w
 CROSS JOIN (SELECT DISTINCT p.pid FROM pg_catalog.unnest(pg_catalog.pg_blocking_pids($1)) AS p (pid)) AS b
  LEFT JOIN pg_catalog.pg_stat_activity AS a ON a.pid OPERATOR(pg_catalog.=) b.pid
  LEFT JOIN pg_catalog.pg_class AS c ON c.oid OPERATOR(pg_catalog.=) w.relation
  LEFT JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
 ORDER BY a.xact_start NULLS LAST, b.pid
 LIMIT 20
