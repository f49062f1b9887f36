UPDATE plans SET name = 'b' WHERE id = 1;
