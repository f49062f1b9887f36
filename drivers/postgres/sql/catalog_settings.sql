-- The settings that decide what statements do, as a session of this role begins with them: name and value. Timeouts are not those of our own session.
SELECT pg_catalog.lower(s.name),
       CASE WHEN s.name OPERATOR(pg_catalog.=) 'search_path'
            THEN CASE WHEN EXISTS (SELECT FROM pg_catalog.pg_namespace AS n
                                    WHERE n.nspname OPERATOR(pg_catalog.=) current_user)
                      THEN pg_catalog.replace(s.setting, '"$user"', pg_catalog.quote_ident(current_user))
                      ELSE s.setting END
            WHEN s.name OPERATOR(pg_catalog.~~) '%timeout' THEN s.reset_val
            ELSE s.setting END
  FROM pg_catalog.pg_settings AS s
 WHERE s.name OPERATOR(pg_catalog.=) ANY (ARRAY['TimeZone', 'search_path', 'lock_timeout', 'statement_timeout',
       'idle_in_transaction_session_timeout', 'transaction_timeout', 'default_tablespace',
       'default_table_access_method', 'check_function_bodies', 'default_transaction_isolation',
       'default_transaction_read_only', 'row_security', 'constraint_exclusion', 'wal_level',
       'max_wal_size', 'maintenance_work_mem', 'max_parallel_maintenance_workers', 'max_locks_per_transaction',
       'deadlock_timeout', 'autovacuum', 'server_encoding', 'block_size'])
 ORDER BY 1
