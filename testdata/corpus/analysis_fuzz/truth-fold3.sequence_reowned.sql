CREATE TABLE a (id serial);
CREATE TABLE b (id int);
ALTER SEQUENCE a_id_seq OWNED BY b.id;
-- migration
DROP TABLE b CASCADE;
