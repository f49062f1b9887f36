-- migrate:up
CREATE VIEW daily_mean AS
SELECT station_id, date(taken_at, 'unixepoch') AS day, avg(celsius) AS celsius
FROM reading
GROUP BY station_id, day;
-- migrate:down
DROP VIEW daily_mean;
