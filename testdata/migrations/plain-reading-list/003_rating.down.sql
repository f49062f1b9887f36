DROP INDEX reading_by_rating;
ALTER TABLE reading DROP COLUMN rating;
