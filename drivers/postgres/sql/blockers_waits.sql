-- One row: whether the backend $1 waits for a lock; none where there is no such backend.
SELECT coalesce(a.wait_event_type OPERATOR(pg_catalog.=) 'Lock', false)
  FROM pg_catalog.pg_stat_get_activity($1) AS a
