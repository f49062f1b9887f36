DROP INDEX IF EXISTS orders_note, never_there;
