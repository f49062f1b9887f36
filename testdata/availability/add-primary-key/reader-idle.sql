BEGIN; SELECT count(*) FROM (SELECT FROM movements LIMIT 10) few
