CREATE TABLE users (id bigint PRIMARY KEY);
CREATE TABLE logins (user_id bigint REFERENCES users);
