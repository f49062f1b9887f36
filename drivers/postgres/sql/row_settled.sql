-- One row: whether the history has the rank $1 with $2 units done.
SELECT EXISTS (SELECT
                 FROM {schema}.history AS h
                WHERE h.installed_rank OPERATOR(pg_catalog.=) $1
                  AND h.units_done OPERATOR(pg_catalog.=) $2)
