CREATE TABLE logs (at date);
