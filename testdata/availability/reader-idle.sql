BEGIN; SELECT count(*) FROM (SELECT FROM accounts LIMIT 10) few
