-- +goose NO TRANSACTION
-- +goose up
CREATE INDEX CONCURRENTLY account_owner ON account (owner);

-- +goose down
DROP INDEX CONCURRENTLY account_owner;
