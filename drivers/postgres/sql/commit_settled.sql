-- One row: whether the event $1 with the digest $2 is in the history.
SELECT EXISTS (SELECT
                 FROM {schema}.event AS e
                WHERE e.id OPERATOR(pg_catalog.=) $1
                  AND e.digest OPERATOR(pg_catalog.=) $2)
