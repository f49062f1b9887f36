-- no-transaction
CREATE INDEX CONCURRENTLY job_due ON job (run_at);
