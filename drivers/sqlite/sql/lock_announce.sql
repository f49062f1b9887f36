-- Says at what the run ?1 is.
UPDATE main."{prefix}_lock"
SET doing = ?2
WHERE id = 1 AND run = ?1
