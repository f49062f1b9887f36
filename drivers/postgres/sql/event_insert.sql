-- Writes one event behind the one it follows; where that is not there (somebody else wrote, or a crash took it) it has no id, which NOT NULL refuses, so that what follows is not committed.
INSERT INTO {schema}.event
       (id, run, at, kind, version, unit, actor, db_role, host, git_commit, git_author, plan_digest, evidence_digest,
        sql, duration_us, lock_wait_us, rows, sqlstate, detail, previous, digest)
VALUES (CASE WHEN $1 OPERATOR(pg_catalog.=) 1
                  OR EXISTS (SELECT
                               FROM {schema}.event AS p
                              WHERE p.id OPERATOR(pg_catalog.=) ($1 OPERATOR(pg_catalog.-) 1)
                                AND p.digest OPERATOR(pg_catalog.=) $20)
             THEN $1 END,
        $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)
