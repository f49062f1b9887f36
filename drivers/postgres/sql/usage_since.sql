-- One row: when {extension}.pg_stat_statements was begun anew.
SELECT pg_catalog.to_char(i.stats_reset AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
  FROM {extension}.pg_stat_statements_info AS i
