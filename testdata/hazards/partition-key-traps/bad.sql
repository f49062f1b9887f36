CREATE TABLE events (at date NOT NULL, kind int NOT NULL) PARTITION BY RANGE (at, kind);
