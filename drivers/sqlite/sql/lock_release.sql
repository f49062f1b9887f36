-- Removes the note of the run ?1.
DELETE FROM main."{prefix}_lock"
WHERE id = 1 AND run = ?1
