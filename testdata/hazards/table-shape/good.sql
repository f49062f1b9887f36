CREATE TABLE marks (id bigint PRIMARY KEY, at timestamptz);
