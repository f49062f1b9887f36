-- The session's lock_timeout, as SET takes it.
SELECT pg_catalog.current_setting('lock_timeout')
