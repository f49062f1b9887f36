-- One row: the position of the WAL, the last segment archived (NULL: nothing is), bytes of a segment, a slot that is about to lose WAL, whether the table $1 is being vacuumed while that is due against wraparound.
SELECT pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_lsn(), '0/0')::bigint,
       (SELECT a.last_archived_wal
          FROM pg_catalog.pg_stat_archiver AS a
         WHERE pg_catalog.current_setting('archive_mode') OPERATOR(pg_catalog.<>) 'off'),
       pg_catalog.pg_size_bytes(pg_catalog.current_setting('wal_segment_size')),
       (SELECT s.slot_name
          FROM pg_catalog.pg_replication_slots AS s
         WHERE s.wal_status OPERATOR(pg_catalog.=) 'unreserved'
            OR (s.safe_wal_size OPERATOR(pg_catalog.*) 5) OPERATOR(pg_catalog.<)
               pg_catalog.pg_size_bytes(pg_catalog.current_setting('max_slot_wal_keep_size'))
         ORDER BY s.slot_name
         LIMIT 1),
       EXISTS (SELECT
                 FROM pg_catalog.pg_class AS c
                WHERE (c.oid OPERATOR(pg_catalog.=) $1::pg_catalog.regclass::pg_catalog.oid
                       OR c.oid OPERATOR(pg_catalog.=) ANY
                          (ARRAY(SELECT t.relid FROM pg_catalog.pg_partition_tree($1::pg_catalog.regclass) AS t)))
                  AND CASE WHEN pg_catalog.age(c.relfrozenxid) OPERATOR(pg_catalog.>)
                                pg_catalog.current_setting('autovacuum_freeze_max_age')::integer
                                OR pg_catalog.mxid_age(c.relminmxid) OPERATOR(pg_catalog.>)
                                   pg_catalog.current_setting('autovacuum_multixact_freeze_max_age')::integer
                           THEN EXISTS (SELECT
                                          FROM pg_catalog.pg_locks AS l
                                         WHERE l.locktype OPERATOR(pg_catalog.=) 'relation'
                                           AND l.relation OPERATOR(pg_catalog.=) c.oid
                                           AND l.database OPERATOR(pg_catalog.=)
                                               (SELECT d.oid FROM pg_catalog.pg_database AS d
                                                 WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database())
                                           AND l.mode OPERATOR(pg_catalog.=) 'ShareUpdateExclusiveLock'
                                           AND l.granted
                                           AND l.pid OPERATOR(pg_catalog.<>) pg_catalog.pg_backend_pid())
                           ELSE false END)
