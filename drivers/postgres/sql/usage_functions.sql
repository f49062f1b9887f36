-- Functions that have the column $3 in their text and the table $2 of schema $1, or are triggers of it: name, language, definition, body, whether they are such triggers. Not those of extensions, of the server, or of ours.
SELECT p.oid::pg_catalog.regprocedure::pg_catalog.text,
       l.lanname,
       pg_catalog.pg_get_functiondef(p.oid),
       p.prosrc,
       t.is_trigger
  FROM pg_catalog.pg_proc AS p
  JOIN pg_catalog.pg_language AS l ON l.oid OPERATOR(pg_catalog.=) p.prolang
  JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) p.pronamespace
 CROSS JOIN LATERAL (SELECT EXISTS (SELECT
                                      FROM pg_catalog.pg_trigger AS g
                                      JOIN pg_catalog.pg_class AS c ON c.oid OPERATOR(pg_catalog.=) g.tgrelid
                                      JOIN pg_catalog.pg_namespace AS s ON s.oid OPERATOR(pg_catalog.=) c.relnamespace
                                     WHERE g.tgfoid OPERATOR(pg_catalog.=) p.oid
                                       AND s.nspname OPERATOR(pg_catalog.=) $1::pg_catalog.name
                                       AND c.relname OPERATOR(pg_catalog.=) $2::pg_catalog.name) AS is_trigger) AS t
 WHERE p.prokind IN ('f', 'p')
   AND l.lanname NOT IN ('internal', 'c')
   AND n.nspname NOT IN ('pg_catalog', 'information_schema')
   AND p.proname OPERATOR(pg_catalog.!~) '^migrate_[0-9a-f]{8}_'
   AND pg_catalog.strpos(pg_catalog.lower(p.prosrc), pg_catalog.lower($3)) OPERATOR(pg_catalog.>) 0
   AND (t.is_trigger
        OR pg_catalog.strpos(pg_catalog.lower(p.prosrc), pg_catalog.lower($2)) OPERATOR(pg_catalog.>) 0)
   AND NOT EXISTS (SELECT
                     FROM pg_catalog.pg_depend AS d
                    WHERE d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_proc'::pg_catalog.regclass
                      AND d.objid OPERATOR(pg_catalog.=) p.oid
                      AND d.deptype OPERATOR(pg_catalog.=) 'e')
 ORDER BY 1
