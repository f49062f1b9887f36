CREATE FUNCTION one() RETURNS int LANGUAGE plperl AS 'return 1;';
