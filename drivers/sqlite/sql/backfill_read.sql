-- A row for each step that is under way in batches.
SELECT version, unit, format, digest, relation, "key", lo, upto, filenode, "rows", batches, visited, total, batch_size,
       paused_us, started_at, updated_at, run
FROM main."{prefix}_backfill"
ORDER BY version, unit
