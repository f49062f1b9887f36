DO $$
BEGIN
    CREATE ROLE ${reader} NOLOGIN;
EXCEPTION WHEN duplicate_object THEN
    RAISE NOTICE 'role ${reader} is there already';
END
$$;
GRANT SELECT ON customer, purchase TO ${reader};
