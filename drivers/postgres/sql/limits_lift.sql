-- A row where lock_timeout was the one that we set ($1, in milliseconds); then there is none now.
SELECT pg_catalog.set_config('lock_timeout', '0', false)
  FROM pg_catalog.pg_settings AS s
 WHERE s.name OPERATOR(pg_catalog.=) 'lock_timeout'
   AND s.setting OPERATOR(pg_catalog.=) $1
