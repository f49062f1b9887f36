-- Returns the events from id ?1 on, of version ?2 (or of all, where that is empty), in order of id.
SELECT id, run, at, kind, version, unit, actor, db_role, host, git_commit, git_author, plan_digest,
       evidence_digest, sql, duration_us, lock_wait_us, "rows", sqlstate, detail, previous, digest
FROM main."{prefix}_event"
WHERE id >= ?1 AND (?2 = '' OR version = ?2)
ORDER BY id
