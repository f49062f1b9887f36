ALTER TABLE reading ADD COLUMN rating INTEGER CHECK (rating BETWEEN 1 AND 5);
CREATE INDEX reading_by_rating ON reading (rating) WHERE rating IS NOT NULL;
