CREATE POLICY only_own ON notes AS RESTRICTIVE USING (owner = current_user);
