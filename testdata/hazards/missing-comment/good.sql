CREATE TABLE orders (id bigint PRIMARY KEY);
COMMENT ON TABLE orders IS 'what customers have ordered';
