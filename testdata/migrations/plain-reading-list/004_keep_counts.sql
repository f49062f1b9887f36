-- The number of times a book was finished is asked for on every page.
-- migrate: timeout lock=2s statement=1m
ALTER TABLE book ADD COLUMN times_read INTEGER NOT NULL DEFAULT 0;

CREATE TRIGGER reading_finished AFTER UPDATE OF finished_on ON reading
WHEN NEW.finished_on IS NOT NULL AND OLD.finished_on IS NULL
BEGIN
    UPDATE book SET times_read = times_read + 1 WHERE id = NEW.book_id;
END;
