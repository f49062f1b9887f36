UPDATE users SET age = 'x';
