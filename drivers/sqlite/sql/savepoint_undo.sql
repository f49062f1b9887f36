-- Undoes what was done in the savepoint; it stays open.
ROLLBACK TO "migrate drop guard"
