-- One row when the enum $2 in schema $1 (empty: by search_path) has the value $3.
SELECT 1
  FROM pg_catalog.pg_enum AS e
 WHERE e.enumlabel::text OPERATOR(pg_catalog.=) $3
   AND e.enumtypid OPERATOR(pg_catalog.=) pg_catalog.to_regtype(
           CASE WHEN $1 OPERATOR(pg_catalog.=) '' THEN pg_catalog.quote_ident($2)
                ELSE pg_catalog.concat(pg_catalog.quote_ident($1), '.', pg_catalog.quote_ident($2)) END)
