COMMENT ON TABLE notes IS 'seen by their owner only';
