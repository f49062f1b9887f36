-- The id of the last event, locked for this transaction: the lock is written to the WAL.
SELECT e.id FROM {schema}.event AS e ORDER BY e.id DESC LIMIT 1 FOR NO KEY UPDATE
