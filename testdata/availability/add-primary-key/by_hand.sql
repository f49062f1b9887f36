CREATE UNIQUE INDEX CONCURRENTLY movements_pkey ON movements (id);
ALTER TABLE movements ADD CONSTRAINT movements_id_not_null CHECK (id IS NOT NULL) NOT VALID;
ALTER TABLE movements VALIDATE CONSTRAINT movements_id_not_null;
ALTER TABLE movements ALTER COLUMN id SET NOT NULL;
ALTER TABLE movements DROP CONSTRAINT movements_id_not_null;
ALTER TABLE movements ADD CONSTRAINT movements_pkey PRIMARY KEY USING INDEX movements_pkey;
