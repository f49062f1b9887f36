ALTER TABLE users DROP COLUMN email;
UPDATE users SET name = 'x'
  WHERE id = 1;
DROP TABLE users;
