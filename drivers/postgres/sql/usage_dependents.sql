-- What is made of the table $2 of schema $1 ($3: of its column; '': of the table): views, policies, functions, as the server describes them.
SELECT DISTINCT COALESCE(CASE v.relkind WHEN 'v' THEN 'view ' WHEN 'm' THEN 'materialized view ' END
                         OPERATOR(pg_catalog.||) v.oid::pg_catalog.regclass::pg_catalog.text,
                         pg_catalog.pg_describe_object(d.classid, d.objid, d.objsubid))
  FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
  JOIN pg_catalog.pg_depend AS d ON d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass
                                AND d.refobjid OPERATOR(pg_catalog.=) c.oid
  LEFT JOIN pg_catalog.pg_attribute AS a ON a.attrelid OPERATOR(pg_catalog.=) c.oid
                                        AND a.attnum OPERATOR(pg_catalog.=) d.refobjsubid
  LEFT JOIN pg_catalog.pg_rewrite AS r ON d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_rewrite'::pg_catalog.regclass
                                      AND r.oid OPERATOR(pg_catalog.=) d.objid
  LEFT JOIN pg_catalog.pg_class AS v ON v.oid OPERATOR(pg_catalog.=) r.ev_class
 WHERE n.nspname OPERATOR(pg_catalog.=) $1::pg_catalog.name
   AND c.relname OPERATOR(pg_catalog.=) $2::pg_catalog.name
   AND ($3 OPERATOR(pg_catalog.=) '' OR a.attname OPERATOR(pg_catalog.=) $3::pg_catalog.name)
   AND d.classid IN ('pg_catalog.pg_rewrite'::pg_catalog.regclass,
                     'pg_catalog.pg_proc'::pg_catalog.regclass,
                     'pg_catalog.pg_policy'::pg_catalog.regclass)
   AND v.oid IS DISTINCT FROM c.oid
   AND ($3 OPERATOR(pg_catalog.<>) '' OR d.classid OPERATOR(pg_catalog.<>) 'pg_catalog.pg_policy'::pg_catalog.regclass)
 ORDER BY 1
