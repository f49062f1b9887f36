-- migrate: no-transaction
LOCK TABLE orders IN SHARE MODE;
