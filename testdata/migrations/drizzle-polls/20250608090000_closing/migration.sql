ALTER TABLE "poll" ADD COLUMN "closes_at" timestamp with time zone;
