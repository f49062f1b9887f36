-- One row: version, nothing, whether it is a standby, nothing, 0.
SELECT current_setting('server_version'), '', CASE WHEN pg_is_in_recovery() THEN 'standby' ELSE 'primary' END, '', 0
