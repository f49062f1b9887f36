CREATE TYPE mood AS ENUM ('good', 'bad');
CREATE TABLE days (id bigint PRIMARY KEY, how mood);
