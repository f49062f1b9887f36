CREATE FUNCTION tax(n numeric) RETURNS numeric LANGUAGE sql AS 'SELECT n * 0.2';
CREATE FUNCTION price(n numeric) RETURNS numeric LANGUAGE plpgsql AS 'BEGIN RETURN n + tax(n); END';
