-- One row: the value of the sequence $1, in seconds since 1970; NULL: it was never set, or somebody dropped it.
SELECT pg_catalog.pg_sequence_last_value(pg_catalog.to_regclass($1))
