-- Removes the checkpoint of a step (?1: version, ?2: unit), in the transaction that says that it is done.
DELETE FROM main."{prefix}_backfill"
WHERE version = ?1
  AND unit = ?2
