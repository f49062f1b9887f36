-- The statements of this database in {extension}.pg_stat_statements that have both texts, in any case: id, text, calls. Those that functions send (top level: no) are found in the functions.
SELECT pg_catalog.format('%s/%s', s.userid, s.queryid),
       s.query,
       s.calls
  FROM {extension}.pg_stat_statements AS s
 WHERE s.dbid OPERATOR(pg_catalog.=)
       (SELECT d.oid FROM pg_catalog.pg_database AS d
         WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database())
   AND pg_catalog.strpos(pg_catalog.lower(s.query), pg_catalog.lower($1)) OPERATOR(pg_catalog.>) 0
   AND pg_catalog.strpos(pg_catalog.lower(s.query), pg_catalog.lower($2)) OPERATOR(pg_catalog.>) 0
   AND COALESCE(pg_catalog.to_jsonb(s) OPERATOR(pg_catalog.->>) 'toplevel', 'true')
       OPERATOR(pg_catalog.=) 'true'
 ORDER BY s.calls DESC, s.queryid
