-- One row: whether the index with OID $1 was made after event $2 was written and before event $3 was. The transaction that made a row is in its xmin; building an index changes its row of pg_class in place only, and events are never written again.
SELECT EXISTS (SELECT
                 FROM pg_catalog.pg_class AS c
                 JOIN {schema}.event AS first ON first.id OPERATOR(pg_catalog.=) $2
                 JOIN {schema}.event AS last ON last.id OPERATOR(pg_catalog.=) $3
                WHERE c.oid::bigint OPERATOR(pg_catalog.=) $1
                  AND pg_catalog.age(c.xmin) OPERATOR(pg_catalog.<) pg_catalog.age(first.xmin)
                  AND pg_catalog.age(c.xmin) OPERATOR(pg_catalog.>) pg_catalog.age(last.xmin))
