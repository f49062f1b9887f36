-- Notes a run as under way, in place of one that is gone.
INSERT OR REPLACE INTO main."{prefix}_lock" (id, run, who, doing, since_us, host, pid, process)
VALUES (1, ?1, ?2, '', ?3, ?4, ?5, ?6)
