CREATE POLICY team_notes ON notes USING (owner IN (current_user, 'team'));
