ALTER TABLE users ADD COLUMN id bigserial;
