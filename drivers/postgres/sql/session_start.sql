-- One row: whether the connection is direct, backend process, role, database, clock in microseconds, synchronous_commit as it was. Sets the session up, but only where the backend is $1.
SELECT backend.is_direct,
       backend.pid,
       current_user,
       pg_catalog.current_database(),
       (pg_catalog.date_part('epoch', pg_catalog.clock_timestamp()) OPERATOR(pg_catalog.*) 1000000)::bigint,
       pg_catalog.current_setting('synchronous_commit'),
       CASE WHEN backend.is_direct THEN pg_catalog.set_config('standard_conforming_strings', 'on', false) END,
       CASE WHEN backend.is_direct THEN pg_catalog.set_config('statement_timeout', '0', false) END,
       CASE WHEN backend.is_direct THEN pg_catalog.set_config('lock_timeout', $2, false) END,
       CASE WHEN backend.is_direct THEN pg_catalog.set_config('idle_in_transaction_session_timeout', '0', false) END,
       CASE WHEN backend.is_direct AND pg_catalog.current_setting('idle_session_timeout', true) IS NOT NULL
            THEN pg_catalog.set_config('idle_session_timeout', '0', false) END,
       CASE WHEN backend.is_direct AND pg_catalog.current_setting('transaction_timeout', true) IS NOT NULL
            THEN pg_catalog.set_config('transaction_timeout', '0', false) END,
       CASE WHEN backend.is_direct AND $3 IS NOT NULL THEN pg_catalog.set_config('search_path', $3, false) END,
       CASE WHEN backend.is_direct AND $4 IS NOT NULL THEN pg_catalog.set_config('synchronous_commit', $4, false) END,
       CASE WHEN backend.is_direct AND $5 IS NOT NULL THEN pg_catalog.set_config('default_transaction_read_only', $5, false) END
  FROM (SELECT pg_catalog.pg_backend_pid() AS pid,
               pg_catalog.pg_backend_pid() OPERATOR(pg_catalog.=) $1 AS is_direct) AS backend
