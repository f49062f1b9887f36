COMMENT ON COLUMN orders.total IS 'always above zero';
