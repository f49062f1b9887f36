-- Settings as a new session of this role has them (this one has set some): name, nothing, where it comes from, value, the value in milliseconds where it is a time.
SELECT s.name, '',
       coalesce((SELECT CASE WHEN r.setrole = 0 THEN 'database' WHEN r.setdatabase = 0 THEN 'role' ELSE 'role in this database' END
                   FROM pg_db_role_setting AS r
                  CROSS JOIN unnest(r.setconfig) AS one
                  WHERE starts_with(one, s.name || '=')
                    AND r.setrole IN (0, (SELECT a.oid FROM pg_roles AS a WHERE a.rolname = session_user))
                    AND r.setdatabase IN (0, (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database()))
                  ORDER BY r.setrole <> 0 DESC, r.setdatabase <> 0 DESC
                  LIMIT 1),
                CASE WHEN s.reset_val = s.boot_val THEN 'default' ELSE nullif(s.source, 'session') END,
                'server'),
       CASE WHEN s.unit = 'ms' AND s.reset_val <> '0' THEN s.reset_val || ' ms' ELSE s.reset_val END,
       CASE WHEN s.unit = 'ms' THEN s.reset_val::bigint ELSE 0 END
  FROM pg_settings AS s
 WHERE s.name IN ('statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout', 'deadlock_timeout',
                  'synchronous_commit', 'wal_level', 'max_wal_senders', 'track_activities',
                  'default_transaction_read_only', 'fsync')
 ORDER BY s.name
