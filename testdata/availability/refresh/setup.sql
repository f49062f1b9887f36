CREATE MATERIALIZED VIEW regions AS SELECT region, count(*) AS accounts, sum(balance) AS balance FROM accounts GROUP BY region;
CREATE UNIQUE INDEX regions_region ON regions (region);
ANALYZE regions;
