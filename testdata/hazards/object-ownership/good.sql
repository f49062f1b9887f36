COMMENT ON TABLE orders IS 'owned by who made it';
