-- Returns the rows of the history in order of installation.
SELECT installed_rank, version, description, kind, layout, script, state, units_done, statements,
       digest_raw, digest_normalized, digest_tree, installed_by, installed_on, duration_us, run
FROM main."{prefix}_history"
ORDER BY installed_rank
