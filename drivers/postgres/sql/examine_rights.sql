-- Rights that an apply needs and this role has not, with a history in schema $1: right, on what, nothing, how to give it, 0.
SELECT 'CREATE', 'database ' || quote_ident(current_database()), '',
       format('GRANT CREATE ON DATABASE %I TO %I', current_database(), current_user), 0
 WHERE NOT has_database_privilege(current_database(), 'CREATE')
   AND NOT EXISTS (SELECT FROM pg_namespace AS n WHERE n.nspname::text = $1)
 UNION ALL
SELECT wanted.privilege, 'schema ' || quote_ident(n.nspname), '',
       format('GRANT %s ON SCHEMA %I TO %I', wanted.privilege, n.nspname, current_user), 0
  FROM pg_namespace AS n
 CROSS JOIN (VALUES ('USAGE')) AS wanted (privilege)
 WHERE n.nspname::text = $1
   AND NOT has_schema_privilege(n.oid, wanted.privilege)
 UNION ALL
SELECT wanted.privilege, 'table ' || quote_ident(n.nspname) || '.' || quote_ident(c.relname), '',
       format('GRANT %s ON TABLE %I.%I TO %I', wanted.privilege, n.nspname, c.relname, current_user), 0
  FROM pg_namespace AS n
  JOIN pg_class AS c ON c.relnamespace = n.oid
  JOIN (VALUES ('history', 'SELECT'), ('history', 'INSERT'), ('history', 'UPDATE'),
               ('event', 'SELECT'), ('event', 'INSERT')) AS wanted (name, privilege) ON wanted.name = c.relname::text
 WHERE n.nspname::text = $1
   AND c.relkind = 'r'
   AND NOT has_table_privilege(c.oid, wanted.privilege)
