CREATE SEQUENCE users_id_seq;
ALTER TABLE users ADD COLUMN id bigint;
ALTER TABLE users ALTER COLUMN id SET DEFAULT nextval('users_id_seq');
