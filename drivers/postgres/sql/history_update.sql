-- Replaces the row of the history that has the rank $1; one row must be affected.
UPDATE {schema}.history AS h
   SET version = $2,
       description = $3,
       kind = $4,
       layout = $5,
       script = $6,
       state = $7,
       units_done = $8,
       statements = $9,
       digest_raw = $10,
       digest_normalized = $11,
       digest_tree = $12,
       installed_by = $13,
       installed_on = $14,
       duration_us = $15,
       run = $16
 WHERE h.installed_rank OPERATOR(pg_catalog.=) $1
