CREATE FUNCTION one() RETURNS int LANGUAGE sql SET search_path = public AS 'SELECT 1';
