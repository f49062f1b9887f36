-- Returns a number that changes with every change of the schema.
PRAGMA main.schema_version
