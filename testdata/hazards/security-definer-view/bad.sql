CREATE VIEW all_notes AS SELECT id FROM notes;
