ALTER TABLE hits ADD COLUMN note text;
