ALTER TABLE people ADD COLUMN whole text GENERATED ALWAYS AS (first || ' ' || last) STORED;
