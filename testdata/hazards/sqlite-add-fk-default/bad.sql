ALTER TABLE users ADD COLUMN team_id integer DEFAULT 1 REFERENCES teams (id);
