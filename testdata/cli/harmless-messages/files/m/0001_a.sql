DO $$BEGIN RAISE NOTICE e'\x1b[2Jnotice\nerror: forged'; END$$;
DO $$BEGIN RAISE EXCEPTION e'gone\x1b[31m\nexit 0: done' USING DETAIL = e'one\x07\ntwo'; END$$;
