CREATE TABLE flags (a boolean, id bigint PRIMARY KEY, b boolean, at timestamptz);
