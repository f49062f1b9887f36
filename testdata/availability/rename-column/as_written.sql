ALTER TABLE accounts RENAME COLUMN region TO area;
