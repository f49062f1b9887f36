CREATE TYPE priority AS ENUM ('low', 'normal', 'high');
ALTER TABLE ticket ADD COLUMN priority priority NOT NULL DEFAULT 'normal';
