-- From 14 on: partitions whose DETACH CONCURRENTLY has not come to its end.
SELECT i.inhrelid FROM pg_catalog.pg_inherits AS i WHERE i.inhdetachpending
