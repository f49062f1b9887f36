-- What the bodies of functions written as BEGIN ATOMIC read: function, relation, column (0: the whole).
SELECT d.objid, d.refobjid, d.refobjsubid
  FROM pg_catalog.pg_depend AS d
 WHERE d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass
   AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.deptype = 'n'
 ORDER BY d.objid, d.refobjid, d.refobjsubid
