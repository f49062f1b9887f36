UPDATE hits SET n = 0 WHERE id = 7;
