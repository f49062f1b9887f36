DROP TRIGGER ticket_touched ON ticket;
DROP FUNCTION touch_ticket();
ALTER TABLE ticket DROP COLUMN changed_at;
