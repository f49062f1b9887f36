-- Sequences: oid, type, table and column that own it, whether it is of an identity column.
SELECT s.seqrelid, s.seqtypid, d.refobjid, d.refobjsubid, d.deptype = 'i'
  FROM pg_catalog.pg_sequence AS s
  LEFT JOIN pg_catalog.pg_depend AS d ON d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = s.seqrelid
                                     AND d.objsubid = 0 AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
                                     AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i')
