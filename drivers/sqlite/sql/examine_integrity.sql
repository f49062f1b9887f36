-- Returns 'ok', or what is damaged; reads every page, and every index against its table.
PRAGMA main.integrity_check(20)
