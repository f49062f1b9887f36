-- Changes nothing, but takes the write lock within a transaction that a file opened with a plain BEGIN.
DELETE FROM main."{prefix}_event" WHERE 0
