-- Opens a savepoint around one statement (outside a transaction: a transaction of its own).
SAVEPOINT "migrate drop guard"
