-- One row: whether so many batches ($3) of a step ($1: version, $2: unit) are committed.
SELECT EXISTS (SELECT
                 FROM {schema}.backfill AS b
                WHERE b.version OPERATOR(pg_catalog.=) $1
                  AND b.unit OPERATOR(pg_catalog.=) $2
                  AND b.batches OPERATOR(pg_catalog.>=) $3)
