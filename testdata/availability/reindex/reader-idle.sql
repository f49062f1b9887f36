BEGIN; SELECT count(*) FROM movements WHERE account_id = 1
