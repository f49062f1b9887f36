DELETE FROM notes WHERE id % 2 = 0;
