CREATE POLICY own ON notes USING (owner = current_setting('app.user'));
