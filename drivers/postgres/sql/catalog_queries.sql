-- The queries that took the most time, without their values, from {extension}.pg_stat_statements: fields by their keys. The columns are those of every version of the extension.
SELECT q.j ->> 'query' AS text,
       q.j ->> 'calls' AS calls,
       COALESCE(q.j ->> 'mean_exec_time', q.j ->> 'mean_time') AS mean_ms
  FROM (SELECT pg_catalog.to_jsonb(s) AS j
          FROM {extension}.pg_stat_statements AS s
          JOIN pg_catalog.pg_database AS d ON d.oid = s.dbid
         WHERE d.datname = pg_catalog.current_database()) AS q
 WHERE q.j ->> 'query' IS NOT NULL AND q.j ->> 'query' <> '<insufficient privilege>'
 ORDER BY COALESCE(q.j ->> 'total_exec_time', q.j ->> 'total_time')::pg_catalog.float8 DESC
 LIMIT 1000
