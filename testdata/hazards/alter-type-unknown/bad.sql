ALTER TABLE elsewhere ALTER COLUMN what TYPE text;
