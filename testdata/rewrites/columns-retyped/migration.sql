ALTER TABLE orders ALTER n TYPE text USING n || 'x', ADD UNIQUE (n), ADD CHECK (n <> ''), ALTER n SET NOT NULL;
