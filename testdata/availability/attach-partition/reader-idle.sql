BEGIN; SELECT count(*) FROM (SELECT FROM events WHERE id = 1) few
