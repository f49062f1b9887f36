COPY room (name, seats) FROM stdin;
Aquarium	6
Cellar	12
Attic; with a view	4
\.

INSERT INTO booking (room_id, during, booked_by)
SELECT id, tstzrange('2026-01-05 09:00+00', '2026-01-05 10:00+00'), 'ann' FROM room;
