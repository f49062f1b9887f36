ALTER TABLE "Odd Schema"."select" ALTER COLUMN "order" TYPE bigint;
-- migrate: using backward=(a - 1)::text
ALTER TABLE t ALTER a TYPE int USING (a::int + 1);
-- migrate: using backward=b::text
ALTER TABLE t ALTER b TYPE jsonb USING b::jsonb;
-- migrate: using backward=d AT TIME ZONE 'UTC'
ALTER TABLE t ALTER COLUMN d SET DATA TYPE timestamptz USING d AT TIME ZONE 'UTC';
ALTER TABLE t ALTER e TYPE numeric(12, 4);
