ALTER TABLE users ADD COLUMN years text;
