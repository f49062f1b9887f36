CREATE OR REPLACE FUNCTION price(n int) RETURNS bigint LANGUAGE sql AS 'SELECT n * 2::bigint';
