CREATE INDEX users_years ON users (age);
