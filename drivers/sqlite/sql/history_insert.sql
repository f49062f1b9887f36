-- Adds a row to the history. Without names of columns: it is prepared again for each change of the schema.
INSERT INTO main."{prefix}_history"
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
