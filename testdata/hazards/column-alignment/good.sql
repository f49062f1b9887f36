CREATE TABLE flags (id bigint PRIMARY KEY, at timestamptz, a boolean, b boolean);
