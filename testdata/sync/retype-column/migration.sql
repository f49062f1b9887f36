ALTER TABLE "Odd Schema"."select" ALTER COLUMN "order" TYPE bigint;
ALTER TABLE t ALTER a TYPE int USING (a::int + 1);
ALTER TABLE t ALTER b TYPE jsonb USING b::jsonb;
ALTER TABLE t ALTER COLUMN d SET DATA TYPE timestamptz USING d AT TIME ZONE 'UTC';
ALTER TABLE t ALTER e TYPE numeric(12, 4);
ALTER TABLE t ALTER "Full Name" TYPE char(7) COLLATE "C" USING left("Full Name", 7);
