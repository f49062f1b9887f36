-- How tables are used: table, fields by their keys.
SELECT s.relid,
       s.seq_scan AS seq_scans,
       COALESCE(s.idx_scan, 0) AS index_scans,
       s.n_tup_ins + s.n_tup_upd + s.n_tup_del AS writes
  FROM pg_catalog.pg_stat_user_tables AS s
