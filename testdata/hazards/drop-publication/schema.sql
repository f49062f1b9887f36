CREATE TABLE users (id bigint PRIMARY KEY, email text);
CREATE PUBLICATION crm FOR TABLE users;
