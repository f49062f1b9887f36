DROP INDEX IF EXISTS orders_note, nope, "Odd ""I""", orders_note;
DROP INDEX app.idx RESTRICT;
