CREATE TABLE logs_2021 (at date) INHERITS (logs);
