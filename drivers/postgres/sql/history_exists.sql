-- One row: whether the schema, the history ($2) and the event table ($3) exist. $1 is the schema's bare name.
SELECT EXISTS (SELECT FROM pg_catalog.pg_namespace AS n WHERE n.nspname::text OPERATOR(pg_catalog.=) $1),
       pg_catalog.to_regclass($2) IS NOT NULL,
       pg_catalog.to_regclass($3) IS NOT NULL
