ALTER TABLE users ADD COLUMN city text;
UPDATE users SET name = 'x' WHERE id = 1;
