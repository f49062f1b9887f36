ALTER TABLE things ADD COLUMN what_2 text;
