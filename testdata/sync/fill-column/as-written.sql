ALTER TABLE "Orders" ADD COLUMN "select" varchar(80) COLLATE "C";
UPDATE "Orders" SET "select" = joined("first name", "Orders".last);
ALTER TABLE "Orders" ALTER "select" SET NOT NULL;
ALTER TABLE t ADD twice int;
UPDATE t SET twice = id * 2;
ALTER TABLE t ALTER twice SET NOT NULL;
