-- What views and rules read: relation, rule, what it reads (r: relation, f: function, t: type), that object, column (0: the whole).
SELECT r.ev_class,
       r.rulename,
       CASE d.refclassid WHEN 'pg_catalog.pg_class'::pg_catalog.regclass THEN 'r'
                         WHEN 'pg_catalog.pg_proc'::pg_catalog.regclass THEN 'f' ELSE 't' END,
       d.refobjid,
       d.refobjsubid
  FROM pg_catalog.pg_rewrite AS r
  JOIN pg_catalog.pg_depend AS d ON d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND d.objid = r.oid
                                AND d.deptype = 'n'
                                AND d.refclassid IN ('pg_catalog.pg_class'::pg_catalog.regclass,
                                                     'pg_catalog.pg_proc'::pg_catalog.regclass,
                                                     'pg_catalog.pg_type'::pg_catalog.regclass)
 WHERE d.refobjid <> r.ev_class
 ORDER BY r.ev_class, r.rulename, d.refclassid, d.refobjid, d.refobjsubid
