-- Who holds the run lock ($1, $2 are the halves of its key): process, role, application, client address, start in microseconds. No row when nobody does any more.
SELECT l.pid,
       a.usename,
       a.application_name,
       pg_catalog.host(a.client_addr),
       (pg_catalog.date_part('epoch', a.backend_start) OPERATOR(pg_catalog.*) 1000000)::bigint
  FROM pg_catalog.pg_locks AS l
  JOIN pg_catalog.pg_database AS d ON d.oid OPERATOR(pg_catalog.=) l.database
  LEFT JOIN pg_catalog.pg_stat_activity AS a ON a.pid OPERATOR(pg_catalog.=) l.pid
 WHERE l.locktype OPERATOR(pg_catalog.=) 'advisory'
   AND l.granted
   AND d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database()
   AND l.classid::bigint OPERATOR(pg_catalog.=) $1
   AND l.objid::bigint OPERATOR(pg_catalog.=) $2
   AND l.objsubid OPERATOR(pg_catalog.=) 2
