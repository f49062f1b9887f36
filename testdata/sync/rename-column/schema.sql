CREATE TABLE users (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL, email text);
INSERT INTO users (name, email) SELECT 'user ' || n, n || '@example.org' FROM generate_series(1, 50) n;
COMMENT ON COLUMN users.name IS 'what they are called';
CREATE TABLE log (at timestamptz, line text);
INSERT INTO log SELECT '2024-01-01', 'line ' || n FROM generate_series(1, 30) n;
CREATE TABLE events (id int, at date NOT NULL, payload text, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE events_2 PARTITION OF events DEFAULT;
INSERT INTO events SELECT n, '2024-12-20'::date + n, 'p' || n FROM generate_series(1, 30) n;
CREATE TABLE accounts (id int PRIMARY KEY, iban text, owner text);
INSERT INTO accounts SELECT n, 'DE' || n, 'o' || n FROM generate_series(1, 10) n;
GRANT SELECT (iban), UPDATE (iban) ON accounts TO PUBLIC;
GRANT SELECT (iban), INSERT (iban), UPDATE (iban), REFERENCES (iban) ON accounts TO "pg_monitor" WITH GRANT OPTION;
GRANT SELECT ON accounts TO pg_read_all_stats;
CREATE SEQUENCE numbers;
CREATE TABLE items (
    id int PRIMARY KEY,
    state text NOT NULL DEFAULT 'new',
    made timestamptz NOT NULL DEFAULT now(),
    number int NOT NULL DEFAULT nextval('numbers'),
    token serial
);
INSERT INTO items (id, made) SELECT n, '2024-01-01' FROM generate_series(1, 20) n;
