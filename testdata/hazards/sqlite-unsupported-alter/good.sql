ALTER TABLE users ADD COLUMN years integer;
