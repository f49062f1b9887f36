CREATE TABLE orders (id bigint PRIMARY KEY, user_id bigint REFERENCES users, FOREIGN KEY (user_id) REFERENCES users);
