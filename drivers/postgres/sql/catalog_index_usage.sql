-- How indexes are used: index, fields by their keys.
SELECT s.indexrelid, s.idx_scan AS scans
  FROM pg_catalog.pg_stat_user_indexes AS s
