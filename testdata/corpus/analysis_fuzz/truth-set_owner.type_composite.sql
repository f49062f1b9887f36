CREATE TYPE pair AS (a int)
-- migration
ALTER TYPE pair OWNER TO app_owner;
