ALTER TABLE offers ADD COLUMN code text;
CREATE UNIQUE INDEX CONCURRENTLY offers_code ON offers (code);
ALTER TABLE offers ADD CONSTRAINT offers_code_key UNIQUE USING INDEX offers_code;
