-- Events in order of id, from $1; of version $2 unless that is empty.
SELECT e.id,
       e.run,
       pg_catalog.to_char(e.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
       e.kind,
       e.version,
       e.unit,
       e.actor,
       e.db_role,
       e.host,
       e.git_commit,
       e.git_author,
       e.plan_digest,
       e.evidence_digest,
       e.sql,
       e.duration_us,
       e.lock_wait_us,
       e.rows,
       e.sqlstate,
       e.detail,
       e.previous,
       e.digest
  FROM {schema}.event AS e
 WHERE e.id OPERATOR(pg_catalog.>=) $1
   AND ($2 OPERATOR(pg_catalog.=) '' OR e.version OPERATOR(pg_catalog.=) $2)
 ORDER BY e.id
