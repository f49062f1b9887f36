-- Writes the checkpoint of a step, in the transaction of its batch.
INSERT OR REPLACE INTO main."{prefix}_backfill"
       (version, unit, format, digest, relation, "key", lo, upto, filenode, "rows", batches, visited, total, batch_size,
        paused_us, started_at, updated_at, run)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)
