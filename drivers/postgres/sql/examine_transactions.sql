-- Transactions of this database that are open for more than a minute, oldest first: process or name, who, state, statement, microseconds. The last row, with the state unseen, counts sessions of which this role may see nothing.
SELECT t.*
  FROM (SELECT a.pid::text,
               concat_ws(', ', 'role ' || a.usename, 'application ' || nullif(a.application_name, ''), 'from ' || host(a.client_addr)),
               a.state,
               left(regexp_replace(a.query, '\s+', ' ', 'g'), 200),
               (date_part('epoch', clock_timestamp() - a.xact_start) * 1000000)::bigint AS open_us
          FROM pg_stat_activity AS a
         WHERE a.datname = current_database()
           AND a.pid <> pg_backend_pid()
           AND a.backend_type = 'client backend'
           AND a.xact_start < clock_timestamp() - interval '1 minute'
         UNION ALL
        SELECT quote_literal(p.gid), 'role ' || p.owner, 'prepared',
               format('ROLLBACK PREPARED %L', p.gid),
               (date_part('epoch', clock_timestamp() - p.prepared) * 1000000)::bigint
          FROM pg_prepared_xacts AS p
         WHERE p.database = current_database()
           AND p.prepared < clock_timestamp() - interval '1 minute'
         ORDER BY open_us DESC
         LIMIT 20) AS t
 UNION ALL
SELECT '', '', 'unseen', '', count(*)
  FROM pg_stat_activity AS a
 WHERE a.datname = current_database()
   AND a.backend_type IS NULL
HAVING count(*) > 0
