UPDATE orders SET state = 'new' -- why
WHERE state IS NULL OR /* odd */ state IS NULL AND total > 7;
UPDATE orders AS o SET cents = o.total * 100 WHERE o.cents IS NULL;
UPDATE "Odd ""t" SET "B b" = 'y', n = 1 WHERE "B b" IS DISTINCT FROM 'y';
UPDATE pages SET b = 'new' WHERE b = 'old';
