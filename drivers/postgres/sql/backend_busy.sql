-- One row: whether the backend $1, older than this one, is still at work. An idle one has finished (a pooler keeps it).
SELECT EXISTS (SELECT
                 FROM pg_catalog.pg_stat_activity AS old,
                      pg_catalog.pg_stat_activity AS own
                WHERE own.pid OPERATOR(pg_catalog.=) pg_catalog.pg_backend_pid()
                  AND old.pid OPERATOR(pg_catalog.=) $1
                  AND old.pid OPERATOR(pg_catalog.<>) own.pid
                  AND old.backend_start OPERATOR(pg_catalog.<=) own.backend_start
                  AND old.state OPERATOR(pg_catalog.<>) 'idle')
