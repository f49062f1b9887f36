-- One row: when the server was started, the database, and its comment. Two connections with the same first
-- two lead to one database.
SELECT pg_catalog.date_part('epoch', pg_catalog.pg_postmaster_start_time())::pg_catalog.numeric(20, 6)::pg_catalog.text,
       pg_catalog.current_database()::pg_catalog.text,
       coalesce(pg_catalog.shobj_description(d.oid, 'pg_database'), '')
  FROM pg_catalog.pg_database AS d
 WHERE d.datname = pg_catalog.current_database()
