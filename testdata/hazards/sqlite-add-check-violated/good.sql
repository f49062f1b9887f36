ALTER TABLE users ADD COLUMN level integer DEFAULT 1 CHECK (level > 0);
