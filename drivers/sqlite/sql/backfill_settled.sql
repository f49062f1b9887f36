-- One row: whether so many batches (?3) of a step (?1: version, ?2: unit) are committed.
SELECT EXISTS (SELECT 1
               FROM main."{prefix}_backfill"
               WHERE version = ?1
                 AND unit = ?2
                 AND batches >= ?3)
