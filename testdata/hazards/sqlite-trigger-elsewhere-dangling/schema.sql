CREATE TABLE users (id integer PRIMARY KEY, email text, age text);
CREATE TABLE orders (id integer PRIMARY KEY, user_id integer);
CREATE TRIGGER note AFTER INSERT ON orders BEGIN
    UPDATE users SET age = 'seen' WHERE id = new.user_id;
END;
