-- One row: 2 where this session holds the run lock ($1, $2 are the halves of its key without sign), 1 where it took it ($3, $4: with sign) just now; an error (22012) where another session has it.
SELECT 2 OPERATOR(pg_catalog./)
       CASE WHEN EXISTS (SELECT
                           FROM pg_catalog.pg_locks AS l
                          WHERE l.locktype OPERATOR(pg_catalog.=) 'advisory'
                            AND l.pid OPERATOR(pg_catalog.=) pg_catalog.pg_backend_pid()
                            AND l.granted
                            AND l.classid::bigint OPERATOR(pg_catalog.=) $1
                            AND l.objid::bigint OPERATOR(pg_catalog.=) $2
                            AND l.objsubid OPERATOR(pg_catalog.=) 2) THEN 1
            WHEN pg_catalog.pg_try_advisory_lock($3, $4) THEN 2
            ELSE 0
       END
