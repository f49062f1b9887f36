-- Removes the checkpoint of a step ($1: version, $2: unit), in the transaction that says that it is done.
DELETE FROM {schema}.backfill AS b
 WHERE b.version OPERATOR(pg_catalog.=) $1
   AND b.unit OPERATOR(pg_catalog.=) $2
