-- migrate:up transaction:false
CREATE INDEX CONCURRENTLY subscriber_confirmed ON subscriber (confirmed_at);

-- migrate:down transaction:false
DROP INDEX CONCURRENTLY subscriber_confirmed;
