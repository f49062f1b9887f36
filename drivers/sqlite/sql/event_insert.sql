-- Adds an event to the chain. Without names of columns: it is prepared again for each change of the schema.
INSERT INTO main."{prefix}_event"
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
