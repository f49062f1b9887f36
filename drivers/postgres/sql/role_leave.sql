-- Remembers who a migration made itself, until the end of the transaction.
SELECT pg_catalog.set_config('migrate.session_authorization', pg_catalog.current_setting('session_authorization'), true),
       pg_catalog.set_config('migrate.role', pg_catalog.current_setting('role'), true)
