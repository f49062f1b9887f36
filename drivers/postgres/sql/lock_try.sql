-- One row: whether the run lock is ours now. Never waits. Sent in the simple protocol, with the key written in.
SELECT pg_catalog.pg_try_advisory_lock({key})
