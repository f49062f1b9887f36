CREATE TYPE order_state AS ENUM ('open', 'paid', 'shipped');
CREATE TABLE purchase (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer_id bigint NOT NULL REFERENCES customer (id),
    state order_state NOT NULL DEFAULT 'open',
    total numeric(12, 2) NOT NULL DEFAULT 0
);
