-- Publications: oid, fields by their keys.
SELECT p.oid, p.pubname AS name, p.puballtables AS is_for_all_tables
  FROM pg_catalog.pg_publication AS p
 ORDER BY p.pubname
