-- Opens a transaction that only reads: its SELECTs see one state of the database.
BEGIN DEFERRED
