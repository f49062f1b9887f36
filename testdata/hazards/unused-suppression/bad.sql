-- migrate: allow drop-table reason="not used any more"
SELECT 1;
