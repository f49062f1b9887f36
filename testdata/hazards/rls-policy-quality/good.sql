CREATE POLICY own ON notes USING (owner = (SELECT current_setting('app.user')));
