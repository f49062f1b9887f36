-- User types that testdata/types/spellings.txt names; planner/postgres/type_change_test.c tells the
-- planner the same.
CREATE EXTENSION citext;
CREATE EXTENSION hstore;
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE TYPE colour AS ENUM ('red', 'green');
CREATE TYPE pair AS (a int, b text);
CREATE TYPE floatrange AS RANGE (subtype = float8);
CREATE DOMAIN plain AS text;
CREATE DOMAIN checked AS text CHECK (VALUE <> '');
CREATE DOMAIN filled AS text NOT NULL;
CREATE DOMAIN short AS varchar(20);
CREATE DOMAIN shorter AS short CHECK (length(VALUE) < 10);
CREATE DOMAIN money2 AS numeric(10, 2);
CREATE DOMAIN ids AS int[];
CREATE DOMAIN feeling AS mood;
CREATE DOMAIN moment AS timestamptz;
CREATE DOMAIN lowered AS citext;
CREATE CAST (varchar AS mood) WITH INOUT AS ASSIGNMENT;
CREATE CAST (colour AS mood) WITH INOUT AS IMPLICIT;
CREATE CAST (bigint AS timestamp) WITHOUT FUNCTION AS ASSIGNMENT;
CREATE CAST (bigint AS uuid) WITH INOUT;
