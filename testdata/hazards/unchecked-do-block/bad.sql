DO LANGUAGE plperl 'elog(NOTICE, "hello")';
