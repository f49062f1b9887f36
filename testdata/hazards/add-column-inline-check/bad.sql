ALTER TABLE offers ADD COLUMN rebate int CHECK (rebate >= 0);
