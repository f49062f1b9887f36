-- Becomes that again: what runs at COMMIT (deferred triggers) runs as the migration wanted it.
SELECT pg_catalog.set_config('session_authorization', pg_catalog.current_setting('migrate.session_authorization'), true),
       pg_catalog.set_config('role', pg_catalog.current_setting('migrate.role'), true)
