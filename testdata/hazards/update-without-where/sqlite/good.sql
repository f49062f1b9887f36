UPDATE users SET age = 'x' WHERE email IS NULL;
