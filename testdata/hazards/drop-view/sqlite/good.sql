DROP VIEW mails;
CREATE VIEW mails AS SELECT email AS email FROM users;
