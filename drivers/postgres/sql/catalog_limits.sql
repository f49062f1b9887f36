-- For this transaction: names are printed with their schemas, nobody is waited for, and operators are those of pg_catalog, which the other catalog_*.sql rely on.
SELECT pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true),
       pg_catalog.set_config('lock_timeout', '500ms', true),
       pg_catalog.set_config('statement_timeout', '60s', true)
