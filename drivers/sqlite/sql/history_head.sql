-- Returns id and digest of the last event: the head of the chain.
SELECT id, digest
FROM main."{prefix}_event"
ORDER BY id DESC
LIMIT 1
