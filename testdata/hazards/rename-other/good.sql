ALTER INDEX users_mail RENAME TO users_mail_idx;
