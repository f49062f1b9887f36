-- Keys of indexes in order: index, table, column (0: an expression), expression, opclass unless it is the default, collation unless it is the column's, the rest by their keys.
SELECT i.indexrelid,
       i.indrelid,
       k.attnum,
       CASE WHEN k.attnum = 0 THEN pg_catalog.pg_get_indexdef(i.indexrelid, k.place::pg_catalog.int4, false) END AS expression,
       CASE WHEN NOT o.opcdefault THEN o.opcname END AS opclass,
       CASE WHEN k.coll <> b.attcollation THEN l.collname END AS collation,
       k.place > i.indnkeyatts AS is_included,
       k.place <= i.indnkeyatts AND (k.opt & 1) = 1 AS is_descending
  FROM pg_catalog.pg_index AS i
  JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
 CROSS JOIN LATERAL ROWS FROM (pg_catalog.unnest(i.indkey::pg_catalog.int2[]),
                               pg_catalog.unnest(i.indclass::pg_catalog.oid[]),
                               pg_catalog.unnest(i.indcollation::pg_catalog.oid[]),
                               pg_catalog.unnest(i.indoption::pg_catalog.int2[]))
       WITH ORDINALITY AS k (attnum, opclass, coll, opt, place)
  LEFT JOIN pg_catalog.pg_opclass AS o ON o.oid = k.opclass
  LEFT JOIN pg_catalog.pg_attribute AS b ON b.attrelid = i.indrelid AND b.attnum = k.attnum
  LEFT JOIN pg_catalog.pg_collation AS l ON l.oid = k.coll
 WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
 ORDER BY i.indexrelid, k.place
