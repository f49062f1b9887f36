-- Partition keys in order: table, column (0: an expression), expression, opclass unless it is the default, collation unless it is the column's.
SELECT p.partrelid,
       k.attnum,
       CASE WHEN k.attnum = 0 THEN pg_catalog.pg_get_expr(p.partexprs, p.partrelid) END AS expression,
       CASE WHEN NOT o.opcdefault THEN o.opcname END AS opclass,
       CASE WHEN k.coll <> a.attcollation THEN l.collname END AS collation
  FROM pg_catalog.pg_partitioned_table AS p
 CROSS JOIN LATERAL ROWS FROM (pg_catalog.unnest(p.partattrs::pg_catalog.int2[]),
                               pg_catalog.unnest(p.partclass::pg_catalog.oid[]),
                               pg_catalog.unnest(p.partcollation::pg_catalog.oid[]))
       WITH ORDINALITY AS k (attnum, opclass, coll, place)
  LEFT JOIN pg_catalog.pg_opclass AS o ON o.oid = k.opclass
  LEFT JOIN pg_catalog.pg_attribute AS a ON a.attrelid = p.partrelid AND a.attnum = k.attnum
  LEFT JOIN pg_catalog.pg_collation AS l ON l.oid = k.coll
 ORDER BY p.partrelid, k.place
