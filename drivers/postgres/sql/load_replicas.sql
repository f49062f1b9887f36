-- A row for each receiver of WAL: name, whether this role may not see how far it is (pg_monitor), the position that it has replayed, and how many microseconds it is behind, as the server says.
SELECT coalesce(nullif(r.application_name, ''), pg_catalog.host(r.client_addr), r.pid::text),
       r.state IS NULL,
       pg_catalog.pg_wal_lsn_diff(coalesce(r.replay_lsn, r.flush_lsn, r.write_lsn, r.sent_lsn), '0/0')::bigint,
       (extract(epoch FROM r.replay_lag) OPERATOR(pg_catalog.*) 1000000)::bigint
  FROM pg_catalog.pg_stat_replication AS r
 WHERE r.state IS NULL
    OR r.state OPERATOR(pg_catalog.=) 'streaming'
    OR r.state OPERATOR(pg_catalog.=) 'catchup'
 ORDER BY 1
