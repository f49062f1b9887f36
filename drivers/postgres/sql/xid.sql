-- The number of this transaction; it gets one where it has none.
SELECT pg_catalog.txid_current()
