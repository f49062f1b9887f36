-- One row: whether this session holds the run lock ($1, $2 are the halves of its key).
SELECT EXISTS (SELECT
                 FROM pg_catalog.pg_locks AS l
                WHERE l.locktype OPERATOR(pg_catalog.=) 'advisory'
                  AND l.pid OPERATOR(pg_catalog.=) pg_catalog.pg_backend_pid()
                  AND l.granted
                  AND l.classid::bigint OPERATOR(pg_catalog.=) $1
                  AND l.objid::bigint OPERATOR(pg_catalog.=) $2
                  AND l.objsubid OPERATOR(pg_catalog.=) 2)
