-- migrate: using forward=joined("first name", "Orders".last)
ALTER TABLE "Orders" ADD COLUMN "select" varchar(80) COLLATE "C" NOT NULL;
-- migrate: using forward=id * 2
ALTER TABLE t ADD twice int NOT NULL;
