CREATE OR REPLACE FUNCTION price(n numeric) RETURNS numeric LANGUAGE plpgsql AS 'BEGIN RETURN n * 1.2; END';
DROP FUNCTION tax(numeric);
