-- migrate: no-transactions
SELECT 1;
