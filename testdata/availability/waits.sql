-- For each request under way: its process, and what it waits for, behind whom.
SELECT a.pid, coalesce(a.wait_event_type || '/' || a.wait_event, 'running')
    || coalesce(' behind ' || string_agg(b.application_name || ' ('
        || CASE WHEN b.state <> 'active' THEN b.state ELSE coalesce(b.wait_event_type || '/' || b.wait_event, 'running') END
        || '): ' || left(regexp_replace(b.query, '\s+', ' ', 'g'), 90), ' and '), '')
FROM pg_stat_activity a LEFT JOIN pg_stat_activity b ON b.pid = ANY (pg_blocking_pids(a.pid))
WHERE a.application_name = 'application' AND a.state = 'active' AND a.datname = current_database()
GROUP BY a.pid, a.wait_event_type, a.wait_event
