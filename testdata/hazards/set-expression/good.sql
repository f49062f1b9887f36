ALTER TABLE people ADD COLUMN trimmed_name text;
