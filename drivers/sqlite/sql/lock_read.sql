-- Returns the run that is noted as under way.
SELECT run, who, doing, since_us, host, pid, process
FROM main."{prefix}_lock"
WHERE id = 1
