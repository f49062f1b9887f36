-- Ends the transaction without effect.
ROLLBACK
