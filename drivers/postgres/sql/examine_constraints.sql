-- Constraints that nobody has validated (NOT ENFORCED, from 18 on, is meant to be so): name, table, kind, how to validate it, 0, schema, bare name, bare name of the table.
SELECT quote_ident(con.conname),
       format('%I.%I', n.nspname, t.relname),
       CASE con.contype WHEN 'f' THEN 'foreign key' WHEN 'c' THEN 'check' WHEN 'n' THEN 'not null' ELSE 'constraint' END,
       format('ALTER TABLE %I.%I VALIDATE CONSTRAINT %I', n.nspname, t.relname, con.conname),
       0,
       n.nspname, con.conname, t.relname, false
  FROM pg_constraint AS con
  JOIN pg_class AS t ON t.oid = con.conrelid
  JOIN pg_namespace AS n ON n.oid = t.relnamespace
 WHERE NOT con.convalidated
   AND con.conparentid = 0
   AND t.relpersistence <> 't'
   AND coalesce(to_jsonb(con) ->> 'conenforced', 'true') = 'true'
 ORDER BY 2, 1
 LIMIT 500
