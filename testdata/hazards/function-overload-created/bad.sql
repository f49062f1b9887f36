CREATE OR REPLACE FUNCTION price(n int, rebate int) RETURNS int LANGUAGE sql AS 'SELECT n * 2 - rebate';
