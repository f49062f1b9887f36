CREATE SCHEMA ext
-- migration
CREATE EXTENSION hstore SCHEMA ext;
