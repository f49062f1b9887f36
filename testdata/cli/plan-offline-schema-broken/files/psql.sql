CREATE TABLE a (b text);
\connect other
