ALTER TABLE users ADD COLUMN team_id integer REFERENCES teams (id);
