-- Writes one row of the history.
INSERT INTO {schema}.history
       (installed_rank, version, description, kind, layout, script, state, units_done, statements, digest_raw,
        digest_normalized, digest_tree, installed_by, installed_on, duration_us, run)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
