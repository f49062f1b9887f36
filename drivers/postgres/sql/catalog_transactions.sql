-- Other transactions that are open in this database, oldest first, a row for each table or index that one has locked: who (process, or the name of a prepared one), role, state, for how many microseconds, whether it has a snapshot, whether it is a vacuum against a wraparound, relation, mode. A plain autovacuum gives way and is left out.
SELECT t.who, t.role, t.state, t.open_us, t.has_snapshot, t.is_wraparound, l.relation, l.mode
  FROM (SELECT a.pid::text AS who,
               a.usename AS role,
               CASE WHEN a.backend_type = 'client backend' THEN a.state ELSE a.backend_type END AS state,
               (date_part('epoch', clock_timestamp() - a.xact_start) * 1000000)::bigint AS open_us,
               a.backend_xmin IS NOT NULL AS has_snapshot,
               a.backend_type = 'autovacuum worker' AS is_wraparound,
               a.pid,
               NULL::text AS virtualtransaction
          FROM pg_catalog.pg_stat_activity AS a
         WHERE a.datname = current_database() AND a.pid <> pg_backend_pid() AND a.xact_start IS NOT NULL
           AND (a.backend_type <> 'autovacuum worker' OR a.query ~ 'to prevent wraparound')
           AND a.backend_type <> 'parallel worker'
         UNION ALL
        SELECT quote_literal(p.gid), p.owner, 'prepared',
               (date_part('epoch', clock_timestamp() - p.prepared) * 1000000)::bigint, false, false, NULL,
               (SELECT x.virtualtransaction FROM pg_catalog.pg_locks AS x
                 WHERE x.locktype = 'transactionid' AND x.pid IS NULL AND x.transactionid = p.transaction)
          FROM pg_catalog.pg_prepared_xacts AS p
         WHERE p.database = current_database()) AS t
  LEFT JOIN pg_catalog.pg_locks AS l
         ON l.granted AND l.locktype = 'relation'
        AND l.database = (SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname = current_database())
        AND (l.pid = t.pid OR l.pid IS NULL AND l.virtualtransaction = t.virtualtransaction)
 ORDER BY t.open_us DESC, t.who
 LIMIT 5000
