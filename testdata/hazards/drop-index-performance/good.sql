ALTER INDEX orders_user RENAME TO orders_user_unused;
