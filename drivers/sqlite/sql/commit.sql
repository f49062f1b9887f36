-- Ends the transaction and makes its changes permanent.
COMMIT
