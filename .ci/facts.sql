-- What .ci/facts asks of a server that has every extension installed: one row a line, the kind of the
-- fact first. Types by their internal name, arrays as int4[].
CREATE TEMP VIEW type_name AS
SELECT t.oid, CASE WHEN e.oid IS NULL THEN t.typname::text ELSE e.typname || '[]' END AS name,
       e.oid IS NOT NULL AS is_array
FROM pg_type t LEFT JOIN pg_type e ON e.typarray = t.oid;

CREATE TEMP VIEW member AS
SELECT d.classid, d.objid, e.extname
FROM pg_depend d JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND e.oid = d.refobjid
WHERE d.deptype = 'e' AND e.extname <> 'plpgsql';

CREATE TEMP VIEW kept AS -- objects of extensions and of pg_catalog; nothing of information_schema
SELECT 'pg_proc'::regclass AS classid, oid, pronamespace AS namespace FROM pg_proc
UNION ALL SELECT 'pg_type'::regclass, oid, typnamespace FROM pg_type
UNION ALL SELECT 'pg_operator'::regclass, oid, oprnamespace FROM pg_operator
UNION ALL SELECT 'pg_opclass'::regclass, oid, opcnamespace FROM pg_opclass
UNION ALL SELECT 'pg_cast'::regclass, oid, 'pg_catalog'::regnamespace FROM pg_cast;

CREATE TEMP VIEW origin AS
SELECT k.classid, k.oid, coalesce(m.extname, '')::text AS extension
FROM kept k LEFT JOIN member m ON m.classid = k.classid AND m.objid = k.oid
WHERE m.extname IS NOT NULL OR k.namespace = 'pg_catalog'::regnamespace;

-- name, arguments, how many may be left out, v: the last one repeats, kind, result, s: a set,
-- volatility, s: strict
SELECT 'functions', p.proname,
       coalesce((SELECT string_agg(n.name, ',' ORDER BY a.at)
                 FROM unnest(p.proargtypes::oid[]) WITH ORDINALITY AS a (type, at)
                 JOIN type_name n ON n.oid = a.type), ''),
       p.pronargdefaults, CASE WHEN p.provariadic <> 0 THEN 'v' ELSE '' END, p.prokind, r.name,
       CASE WHEN p.proretset THEN 's' ELSE '' END, p.provolatile,
       CASE WHEN p.proisstrict THEN 's' ELSE '' END, o.extension
FROM pg_proc p JOIN type_name r ON r.oid = p.prorettype
JOIN origin o ON o.classid = 'pg_proc'::regclass AND o.oid = p.oid
WHERE NOT EXISTS (SELECT FROM unnest(p.proargtypes::oid[]) t
                  WHERE t IN ('internal'::regtype, 'cstring'::regtype))
  AND r.name NOT IN ('internal', 'cstring', 'fdw_handler', 'tsm_handler', 'index_am_handler',
                     'table_am_handler', 'language_handler');

-- name, left, right, result, volatility
SELECT 'operators', p.oprname, coalesce(l.name, ''), coalesce(r.name, ''), s.name, f.provolatile,
       o.extension
FROM pg_operator p JOIN pg_proc f ON f.oid = p.oprcode
JOIN origin o ON o.classid = 'pg_operator'::regclass AND o.oid = p.oid
LEFT JOIN type_name l ON l.oid = p.oprleft LEFT JOIN type_name r ON r.oid = p.oprright
JOIN type_name s ON s.oid = p.oprresult;

-- name, kind, category, p: preferred in it, volatility of reading and of writing it, m: takes a
-- length or precision, element, what a range is of, c: has a collation
SELECT 'types', n.name, t.typtype, t.typcategory, CASE WHEN t.typispreferred THEN 'p' ELSE '' END,
       i.provolatile, u.provolatile, CASE WHEN t.typmodin <> 0 THEN 'm' ELSE '' END,
       coalesce(e.name, ''), coalesce(s.name, m.name, ''),
       CASE WHEN t.typcollation <> 0 THEN 'c' ELSE '' END, o.extension
FROM pg_type t JOIN type_name n ON n.oid = t.oid AND NOT n.is_array
JOIN origin o ON o.classid = 'pg_type'::regclass AND o.oid = t.oid
JOIN pg_proc i ON i.oid = t.typinput JOIN pg_proc u ON u.oid = t.typoutput
LEFT JOIN type_name e ON e.oid = t.typelem
LEFT JOIN pg_range g ON g.rngtypid = t.oid LEFT JOIN type_name s ON s.oid = g.rngsubtype
LEFT JOIN pg_range h ON to_jsonb(h) ->> 'rngmultitypid' = t.oid::text
LEFT JOIN type_name m ON m.oid = h.rngtypid
WHERE t.typtype <> 'c';

-- from, to, method (f: function, b: the same bytes, i: through text), context (i: anywhere, a: in
-- assignments, e: explicit), function, its volatility
SELECT 'casts', s.name, t.name, c.castmethod, c.castcontext, coalesce(f.proname, ''),
       coalesce(f.provolatile::text, ''), o.extension
FROM pg_cast c JOIN type_name s ON s.oid = c.castsource JOIN type_name t ON t.oid = c.casttarget
JOIN origin o ON o.classid = 'pg_cast'::regclass AND o.oid = c.oid
LEFT JOIN pg_proc f ON f.oid = c.castfunc;

-- method, name, type, d: the type's default, family, what the index holds if that is another type
SELECT 'opclasses', m.amname, c.opcname, t.name, CASE WHEN c.opcdefault THEN 'd' ELSE '' END,
       y.opfname, coalesce(k.name, ''), o.extension
FROM pg_opclass c JOIN pg_am m ON m.oid = c.opcmethod JOIN type_name t ON t.oid = c.opcintype
LEFT JOIN type_name k ON k.oid = c.opckeytype
JOIN pg_opfamily y ON y.oid = c.opcfamily
JOIN origin o ON o.classid = 'pg_opclass'::regclass AND o.oid = c.oid;
