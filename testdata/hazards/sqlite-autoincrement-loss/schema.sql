CREATE TABLE users (id integer PRIMARY KEY AUTOINCREMENT, email text, age text);
