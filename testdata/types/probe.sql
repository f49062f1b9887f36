-- What the server does for each pair of types, in the time zone of the session: one line
-- "from|to|using|what", what being error, rewrite, index (only that is built again), none.
CREATE FUNCTION pg_temp.change(target text, using_part text, has_index bool) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    before oid[];
    after oid[];
BEGIN
    before := ARRAY[pg_relation_filenode(to_regclass('probe')), pg_relation_filenode(to_regclass('probe_c'))];
    BEGIN
        EXECUTE format('ALTER TABLE probe ALTER COLUMN c TYPE %s %s', target, using_part);
        after := ARRAY[pg_relation_filenode(to_regclass('probe')), pg_relation_filenode(to_regclass('probe_c'))];
        RAISE EXCEPTION USING errcode = 'P0099';
    EXCEPTION
        WHEN SQLSTATE 'P0099' THEN NULL;
        WHEN OTHERS THEN RETURN 'error';
    END;
    RETURN CASE WHEN before[1] <> after[1] THEN 'rewrite'
                WHEN has_index AND before[2] <> after[2] THEN 'index' ELSE 'none' END;
END $$;

CREATE FUNCTION pg_temp.probe_one(source text, targets text[]) RETURNS SETOF text
LANGUAGE plpgsql AS $$
DECLARE
    target text;
BEGIN
    DROP TABLE IF EXISTS probe;
    BEGIN
        EXECUTE format('CREATE TABLE probe (c %s)', source);
    EXCEPTION WHEN OTHERS THEN
        RETURN;
    END;
    FOREACH target IN ARRAY targets LOOP
        RETURN NEXT concat_ws('|', source, target, '', pg_temp.change(target, '', false));
        RETURN NEXT concat_ws('|', source, target, 'c',
                              pg_temp.change(target, format('USING c::%s', target), false));
    END LOOP;
    BEGIN
        CREATE INDEX probe_c ON probe (c);
    EXCEPTION WHEN OTHERS THEN
        RETURN;
    END;
    FOREACH target IN ARRAY targets LOOP
        RETURN NEXT concat_ws('|', source, target, 'i', pg_temp.change(target, '', true));
    END LOOP;
END $$;

-- Every step-th pair.
CREATE FUNCTION pg_temp.probe(spellings text[], step int) RETURNS SETOF text LANGUAGE sql AS $$
    SELECT pg_temp.probe_one(source, ARRAY(SELECT t FROM unnest(spellings) WITH ORDINALITY AS u (t, j)
                                           WHERE (i + j) % step = 0))
    FROM unnest(spellings) WITH ORDINALITY AS s (source, i)
$$;
