-- Returns a number that stays the same as long as only this connection commits.
PRAGMA main.data_version
