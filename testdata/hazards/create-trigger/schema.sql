CREATE TABLE users (id bigint PRIMARY KEY, email text);
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
