-- migrate: no-transaction
-- migrate: timeout statement=10m
CREATE INDEX CONCURRENTLY booking_by_person ON booking (booked_by);
