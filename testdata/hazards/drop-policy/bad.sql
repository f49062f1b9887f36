DROP POLICY own_notes ON notes;
