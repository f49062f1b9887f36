UPDATE plans SET name = name WHERE id = 1;
