-- Returns 'ok', or what is damaged; without a look at the entries of indexes.
PRAGMA main.quick_check(20)
