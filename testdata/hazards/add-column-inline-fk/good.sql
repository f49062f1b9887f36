ALTER TABLE offers ADD COLUMN author bigint;
ALTER TABLE offers ADD CONSTRAINT offers_author FOREIGN KEY (author) REFERENCES users NOT VALID;
