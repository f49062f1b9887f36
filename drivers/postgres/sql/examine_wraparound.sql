-- How far the oldest rows are from a wraparound: database, the oldest table, what is counted, nothing, age. The server refuses commands near 2^31.
SELECT d.datname,
       (SELECT c.oid::regclass::text FROM pg_class AS c WHERE c.relfrozenxid <> '0'::xid ORDER BY age(c.relfrozenxid) DESC LIMIT 1),
       'transactions', '', age(d.datfrozenxid)::bigint
  FROM pg_database AS d
 WHERE d.datname = current_database()
 UNION ALL
SELECT d.datname,
       (SELECT c.oid::regclass::text FROM pg_class AS c WHERE c.relminmxid <> '0'::xid ORDER BY mxid_age(c.relminmxid) DESC LIMIT 1),
       'multixacts', '', mxid_age(d.datminmxid)::bigint
  FROM pg_database AS d
 WHERE d.datname = current_database()
