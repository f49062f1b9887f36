-- Ends the savepoint and keeps what was done in it.
RELEASE "migrate drop guard"
