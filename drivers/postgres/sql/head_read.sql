-- The id of the last event.
SELECT e.id FROM {schema}.event AS e ORDER BY e.id DESC LIMIT 1
