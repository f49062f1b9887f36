-- Sequences that have used half of what they, or the columns that own them, can hold: sequence, column, type, "last of limit", how much of it in thousandths.
SELECT q.sequence, q.col, q.type, q.last_value || ' of ' || q.limit_value, trunc(1000 * q.last_value::numeric / q.limit_value)::bigint
  FROM (SELECT format('%I.%I', v.schemaname, v.sequencename) AS sequence,
               coalesce(quote_ident(t.relname) || '.' || quote_ident(a.attname), '') AS col,
               coalesce(a.atttypid, s.seqtypid)::regtype::text AS type,
               v.last_value,
               least(v.max_value, CASE a.atttypid WHEN 'int2'::regtype THEN 32767 WHEN 'int4'::regtype THEN 2147483647
                                                  ELSE 9223372036854775807 END) AS limit_value
          FROM pg_sequences AS v
          JOIN pg_namespace AS n ON n.nspname = v.schemaname
          JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = v.sequencename AND c.relkind = 'S'
          JOIN pg_sequence AS s ON s.seqrelid = c.oid
          LEFT JOIN pg_depend AS d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.objsubid = 0
                                  AND d.refclassid = 'pg_class'::regclass AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i')
          LEFT JOIN pg_class AS t ON t.oid = d.refobjid
          LEFT JOIN pg_attribute AS a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
         WHERE s.seqincrement > 0
           AND NOT s.seqcycle
           AND v.max_value > 0) AS q
 WHERE q.last_value::numeric * 2 >= q.limit_value
 ORDER BY 5 DESC, 1
 LIMIT 100
