-- Tables that publications name: publication, table.
SELECT r.prpubid, r.prrelid
  FROM pg_catalog.pg_publication_rel AS r
 ORDER BY r.prpubid, r.prrelid
