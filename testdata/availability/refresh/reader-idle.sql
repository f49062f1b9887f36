BEGIN; SELECT count(*) FROM regions
