-- All rows of the history in order, the first with id and digest of the last event; one row without a rank when there are none.
SELECT CASE WHEN pg_catalog.row_number() OVER (ORDER BY h.installed_rank) OPERATOR(pg_catalog.=) 1 THEN head.id END,
       CASE WHEN pg_catalog.row_number() OVER (ORDER BY h.installed_rank) OPERATOR(pg_catalog.=) 1 THEN head.digest END,
       h.installed_rank,
       h.version,
       h.description,
       h.kind,
       h.layout,
       h.script,
       h.state,
       h.units_done,
       h.statements,
       h.digest_raw,
       h.digest_normalized,
       h.digest_tree,
       h.installed_by,
       pg_catalog.to_char(h.installed_on AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
       h.duration_us,
       h.run
  FROM (SELECT (SELECT e.id FROM {schema}.event AS e ORDER BY e.id DESC LIMIT 1) AS id,
               (SELECT e.digest FROM {schema}.event AS e ORDER BY e.id DESC LIMIT 1) AS digest) AS head
  LEFT JOIN {schema}.history AS h ON true
 ORDER BY h.installed_rank
