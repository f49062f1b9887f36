CREATE TABLE towns (id bigint PRIMARY KEY, code text UNIQUE);
CREATE TABLE users (id bigint PRIMARY KEY, "Name" text NOT NULL, town_id bigint NOT NULL REFERENCES towns, age int NOT NULL DEFAULT 1,
    email text, CONSTRAINT grown CHECK (age > 0));
CREATE INDEX users_name ON users ("Name");
CREATE INDEX users_email_name ON users (email, "Name") WHERE age > 1;
CREATE INDEX users_email ON users (email);
CREATE TABLE shops (id bigint PRIMARY KEY, code text REFERENCES towns (code));
INSERT INTO towns SELECT n, 'code' || n FROM generate_series(1, 100) n;
INSERT INTO users SELECT n, 'user' || n, n, 2, 'mail' || n FROM generate_series(1, 100) n;
INSERT INTO shops SELECT n, 'code' || n FROM generate_series(1, 100) n;
ANALYZE;
