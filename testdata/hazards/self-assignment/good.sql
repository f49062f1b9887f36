UPDATE plans SET name = lower(name) WHERE id = 1;
