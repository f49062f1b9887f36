-- no-transaction
DROP INDEX CONCURRENTLY job_due;
