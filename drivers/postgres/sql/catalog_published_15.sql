-- From 15 on: schemas that publications name.
SELECT s.pnpubid, n.nspname
  FROM pg_catalog.pg_publication_namespace AS s
  JOIN pg_catalog.pg_namespace AS n ON n.oid = s.pnnspid
 ORDER BY s.pnpubid, n.nspname
