ALTER TABLE little ALTER COLUMN total TYPE bigint;
