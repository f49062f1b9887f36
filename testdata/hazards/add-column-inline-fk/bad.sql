ALTER TABLE offers ADD COLUMN author bigint REFERENCES users;
