-- Position of the WAL, and bytes written to temporary files.
SELECT pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_insert_lsn(), '0/0')::pg_catalog.int8,
       (SELECT temp_bytes FROM pg_catalog.pg_stat_database WHERE datname = pg_catalog.current_database())
