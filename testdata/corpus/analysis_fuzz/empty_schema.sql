
-- migration
SELECT 1;
