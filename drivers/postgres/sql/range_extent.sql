-- One row: file of the table $1 (NULL: it has none), rows (about), pages, whether this role may VACUUM it.
SELECT pg_catalog.pg_relation_filenode(c.oid),
       CASE WHEN c.reltuples OPERATOR(pg_catalog.>) 0::pg_catalog.float4 THEN c.reltuples::bigint
            ELSE pg_catalog.pg_stat_get_live_tuples(c.oid) END,
       CASE WHEN c.relkind OPERATOR(pg_catalog.=) 'p'::pg_catalog."char" THEN 0
            ELSE pg_catalog.pg_relation_size(c.oid) OPERATOR(pg_catalog./) pg_catalog.current_setting('block_size')::bigint END,
       c.relkind OPERATOR(pg_catalog.<>) 'p'::pg_catalog."char" AND pg_catalog.pg_has_role(c.relowner, 'USAGE')
  FROM pg_catalog.pg_class AS c
 WHERE c.oid OPERATOR(pg_catalog.=) $1::pg_catalog.regclass::pg_catalog.oid
