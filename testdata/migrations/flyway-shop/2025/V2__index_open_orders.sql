CREATE INDEX CONCURRENTLY purchase_open ON purchase (customer_id) WHERE state = 'open';
