ALTER TABLE users ADD COLUMN level integer DEFAULT 0 CHECK (level > 0);
