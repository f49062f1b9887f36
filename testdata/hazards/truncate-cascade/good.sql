TRUNCATE users, logins;
