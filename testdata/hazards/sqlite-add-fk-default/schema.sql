CREATE TABLE users (id integer PRIMARY KEY, email text, age text);
CREATE TABLE teams (id integer PRIMARY KEY);
