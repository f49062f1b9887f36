CREATE DOMAIN percent AS int;
