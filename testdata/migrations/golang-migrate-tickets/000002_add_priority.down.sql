ALTER TABLE ticket DROP COLUMN priority;
DROP TYPE priority;
