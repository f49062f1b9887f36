-- Makes the schema of the history.
CREATE SCHEMA {schema};
COMMENT ON SCHEMA {schema} IS 'What migrate has done to this database; read it with `migrate history`.'
