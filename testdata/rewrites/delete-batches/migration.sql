DELETE FROM events WHERE at < now() - interval '1 year' AND kind = 'a''b';
DELETE FROM parts p WHERE p.at > date '2020-06-01';
