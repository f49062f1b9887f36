-- Texts of views and rules: relation, rule, text.
SELECT r.ev_class,
       CASE WHEN r.rulename <> '_RETURN' THEN r.rulename END,
       CASE WHEN r.rulename = '_RETURN' THEN pg_catalog.pg_get_viewdef(r.ev_class) ELSE pg_catalog.pg_get_ruledef(r.oid) END
  FROM pg_catalog.pg_rewrite AS r
  JOIN pg_catalog.pg_class AS c ON c.oid = r.ev_class
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
 WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
