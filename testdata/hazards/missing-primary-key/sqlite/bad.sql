CREATE TABLE events (at text, what text);
