ALTER TABLE people ADD COLUMN whole text;
