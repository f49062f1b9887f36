CREATE TABLE users (id integer PRIMARY KEY, email text, age text);
CREATE UNIQUE INDEX users_email ON users (email);
CREATE TRIGGER keep AFTER INSERT ON users BEGIN
    SELECT 1;
END;
