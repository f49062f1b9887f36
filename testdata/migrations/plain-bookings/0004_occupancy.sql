CREATE FUNCTION occupancy(on_day date) RETURNS TABLE (room text, hours numeric)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT r.name, coalesce(sum(extract(epoch FROM upper(b.during) - lower(b.during)) / 3600), 0)
    FROM room r
    LEFT JOIN booking b ON b.room_id = r.id AND lower(b.during)::date = on_day
    GROUP BY r.name;
END;
