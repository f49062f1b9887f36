ALTER TABLE rates ADD COLUMN at date;
