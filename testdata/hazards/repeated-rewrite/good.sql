ALTER TABLE orders ALTER COLUMN id TYPE bigint, ALTER COLUMN total TYPE bigint;
