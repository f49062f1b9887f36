-- A row for each limit that is changed: lock_timeout to $2 where it was $1, statement_timeout to $4 where it was $3, in milliseconds.
SELECT pg_catalog.set_config(s.name, CASE s.name WHEN 'lock_timeout' THEN $2 ELSE $4 END, false)
  FROM pg_catalog.pg_settings AS s
 WHERE s.setting OPERATOR(pg_catalog.=) CASE s.name WHEN 'lock_timeout' THEN $1 WHEN 'statement_timeout' THEN $3 END
