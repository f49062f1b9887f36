CREATE TABLE logs (at date);
CREATE TABLE logs_2020 (at date);
