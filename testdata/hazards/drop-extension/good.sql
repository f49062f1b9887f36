COMMENT ON EXTENSION pg_trgm IS 'not used since release 41';
