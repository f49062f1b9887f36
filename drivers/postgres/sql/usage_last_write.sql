-- One row: the value of the sequence $1, in seconds since 1970; NULL: it was never set.
SELECT pg_catalog.pg_sequence_last_value($1::pg_catalog.regclass)
