-- Every COMMIT is on disk when it returns, in WAL mode too.
PRAGMA main.synchronous = FULL
