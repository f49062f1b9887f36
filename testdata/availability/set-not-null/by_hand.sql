ALTER TABLE accounts ADD CONSTRAINT accounts_region_not_null CHECK (region IS NOT NULL) NOT VALID;
ALTER TABLE accounts VALIDATE CONSTRAINT accounts_region_not_null;
ALTER TABLE accounts ALTER COLUMN region SET NOT NULL;
ALTER TABLE accounts DROP CONSTRAINT accounts_region_not_null;
