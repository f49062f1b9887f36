REINDEX INDEX movements_account_id;
