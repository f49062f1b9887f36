SELECT pg_sleep(20);
