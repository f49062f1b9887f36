CREATE SCHEMA "Odd One";
CREATE TABLE "Odd One"."T t" ("Id" integer);
CREATE SEQUENCE "Odd One"."S s";
-- migration
ALTER SEQUENCE "Odd One"."S s" OWNED BY "Odd One"."T t"."Id";
