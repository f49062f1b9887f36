ALTER TABLE users ADD CONSTRAINT name_length CHECK (length(name) <= 20) NOT VALID;
