-- Has the server look every 2 s whether we are still there (since 14; an error where the platform cannot): a killed run must not go on by itself.
SELECT CASE WHEN pg_catalog.pg_backend_pid() OPERATOR(pg_catalog.=) $1
                 AND pg_catalog.current_setting('client_connection_check_interval', true) IS NOT NULL
            THEN pg_catalog.set_config('client_connection_check_interval', '2s', false) END
