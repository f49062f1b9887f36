-- Tables that this role does not own, nor any role that it is a member of: name, owner, nothing, nothing, 0, schema, bare name, bare name. Those of extensions and of the history in $1 are left out.
SELECT format('%I.%I', n.nspname, c.relname), pg_get_userbyid(c.relowner), '', '', 0, n.nspname, c.relname, c.relname, false
  FROM pg_class AS c
  JOIN pg_namespace AS n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p')
   AND c.relpersistence <> 't'
   AND n.nspname::text !~ '^(pg_|information_schema$)'
   AND n.nspname::text <> $1
   AND NOT pg_has_role(current_user, c.relowner, 'USAGE')
   AND NOT EXISTS (SELECT FROM pg_depend AS d
                    WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
 ORDER BY 1
 LIMIT 500
