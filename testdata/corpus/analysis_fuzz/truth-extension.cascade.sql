
-- migration
CREATE EXTENSION earthdistance CASCADE;
