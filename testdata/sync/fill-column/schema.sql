CREATE TABLE "Orders" (id int PRIMARY KEY, "first name" text, last text);
CREATE FUNCTION joined(a text, b text) RETURNS text LANGUAGE sql STABLE AS $$ SELECT concat_ws(' ', a, b) $$;
INSERT INTO "Orders" SELECT n, 'f' || n, 'l' || n FROM generate_series(1, 30) n;
CREATE TABLE t (id int PRIMARY KEY);
INSERT INTO t SELECT generate_series(1, 30);
CREATE TABLE u (id int PRIMARY KEY);
INSERT INTO u VALUES (1);
