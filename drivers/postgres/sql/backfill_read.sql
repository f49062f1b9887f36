-- A row for each step that is under way in batches.
SELECT b.version, b.unit, b.format, b.digest, b.relation, b.key, b.lo, b.upto, b.filenode, b.rows, b.batches, b.visited, b.total,
       b.batch_size, b.paused_us,
       pg_catalog.to_char(pg_catalog.timezone('UTC', b.started_at), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
       pg_catalog.to_char(pg_catalog.timezone('UTC', b.updated_at), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), b.run
  FROM {schema}.backfill AS b
 ORDER BY b.version, b.unit
