ALTER TABLE offers ADD COLUMN rebate percent;
