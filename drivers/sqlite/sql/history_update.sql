-- Gives the row with rank ?1 all its other fields anew.
UPDATE main."{prefix}_history"
SET version = ?2, description = ?3, kind = ?4, layout = ?5, script = ?6, state = ?7,
    units_done = ?8, statements = ?9, digest_raw = ?10, digest_normalized = ?11,
    digest_tree = ?12, installed_by = ?13, installed_on = ?14, duration_us = ?15, run = ?16
WHERE installed_rank = ?1
