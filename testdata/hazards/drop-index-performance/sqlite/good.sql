CREATE INDEX users_years ON users (age);
DROP INDEX users_age;
