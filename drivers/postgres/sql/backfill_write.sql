-- Writes the checkpoint of a step, in the transaction of its batch.
INSERT INTO {schema}.backfill
       (version, unit, format, digest, relation, key, lo, upto, filenode, rows, batches, visited, total, batch_size, paused_us,
        started_at, updated_at, run)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
    ON CONFLICT (version, unit) DO UPDATE
   SET format = excluded.format, digest = excluded.digest, relation = excluded.relation, key = excluded.key, lo = excluded.lo,
       upto = excluded.upto, filenode = excluded.filenode, rows = excluded.rows, batches = excluded.batches,
       visited = excluded.visited, total = excluded.total, batch_size = excluded.batch_size, paused_us = excluded.paused_us,
       started_at = excluded.started_at, updated_at = excluded.updated_at, run = excluded.run
