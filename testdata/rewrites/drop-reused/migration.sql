-- What is made anew under a name that is freed cannot wait for that name.
ALTER TABLE users DROP COLUMN name;
ALTER TABLE users ADD COLUMN name varchar(20);
DROP TABLE carts;
CREATE TABLE Carts (id uuid);
ALTER TABLE users RENAME TO users_old;
ALTER TABLE users_new RENAME TO users;
