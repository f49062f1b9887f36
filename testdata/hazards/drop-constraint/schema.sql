CREATE TABLE prices (id bigint PRIMARY KEY, amount numeric, CONSTRAINT prices_positive CHECK (amount > 0));
