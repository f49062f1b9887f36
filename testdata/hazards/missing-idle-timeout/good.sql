SET idle_in_transaction_session_timeout TO '10s';
ALTER TABLE orders ADD COLUMN note text;
