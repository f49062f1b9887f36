CREATE INDEX CONCURRENTLY ticket_open ON ticket (opened_at) WHERE closed_at IS NULL;
