CREATE OR REPLACE FUNCTION clean(t text) RETURNS text LANGUAGE sql AS 'SELECT lower(btrim(t))';
