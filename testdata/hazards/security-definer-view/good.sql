CREATE VIEW all_notes WITH (security_invoker = true) AS SELECT id FROM notes;
