ALTER TABLE offers ADD COLUMN rebate int;
ALTER TABLE offers ADD CONSTRAINT offers_rebate CHECK (rebate >= 0) NOT VALID;
