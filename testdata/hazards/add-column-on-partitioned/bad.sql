ALTER TABLE events ADD COLUMN who text;
