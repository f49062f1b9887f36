CREATE VIEW one AS SELECT 1 AS n, 'x'::text AS t;
