-- How far the backend $1 is with an index, one row: phase, and what changes while it gets on; none where it builds none.
SELECT p.phase,
       pg_catalog.concat_ws(' ', p.phase, p.lockers_done, p.blocks_done, p.tuples_done, p.partitions_done)
  FROM pg_catalog.pg_stat_progress_create_index AS p
 WHERE p.pid OPERATOR(pg_catalog.=) $1
