CREATE TABLE orders (id bigint PRIMARY KEY, at date NOT NULL, note text);
CREATE TABLE users (id bigint PRIMARY KEY, bio text, born date);
CREATE TABLE events (id bigint PRIMARY KEY);
