-- Extensions, casts, event triggers, foreign-data wrappers, servers: kind, fields by their keys.
SELECT o.kind, o.name, o.schema, e.extname AS extension, o.parent
  FROM (SELECT 'EXTENSION' AS kind, x.extname::pg_catalog.text AS name, n.nspname AS schema, NULL::pg_catalog.name AS parent,
               0::pg_catalog.oid AS class, x.oid
          FROM pg_catalog.pg_extension AS x
          JOIN pg_catalog.pg_namespace AS n ON n.oid = x.extnamespace
         UNION ALL
        SELECT 'CAST', pg_catalog.format_type(c.castsource, NULL) || ' AS ' || pg_catalog.format_type(c.casttarget, NULL),
               NULL, NULL, 'pg_catalog.pg_cast'::pg_catalog.regclass, c.oid
          FROM pg_catalog.pg_cast AS c
         WHERE c.oid >= 16384
         UNION ALL
        SELECT 'EVENT TRIGGER', t.evtname, NULL, NULL, 'pg_catalog.pg_event_trigger'::pg_catalog.regclass, t.oid
          FROM pg_catalog.pg_event_trigger AS t
         UNION ALL
        SELECT 'FOREIGN DATA WRAPPER', f.fdwname, NULL, NULL,
               'pg_catalog.pg_foreign_data_wrapper'::pg_catalog.regclass, f.oid
          FROM pg_catalog.pg_foreign_data_wrapper AS f
         UNION ALL
        SELECT 'SERVER', s.srvname, NULL, f.fdwname, 'pg_catalog.pg_foreign_server'::pg_catalog.regclass, s.oid
          FROM pg_catalog.pg_foreign_server AS s
          JOIN pg_catalog.pg_foreign_data_wrapper AS f ON f.oid = s.srvfdw) AS o
  LEFT JOIN pg_catalog.pg_depend AS d ON d.classid = o.class AND d.objid = o.oid AND d.deptype = 'e'
  LEFT JOIN pg_catalog.pg_extension AS e ON e.oid = d.refobjid
 ORDER BY o.kind, o.name
