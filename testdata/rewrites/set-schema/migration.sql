ALTER TABLE events SET SCHEMA archive;
ALTER TABLE "Odd"."T" SET SCHEMA archive;
