ALTER TABLE idle ADD COLUMN note text;
