-- first
CREATE TABLE a (t text DEFAULT '${flyway:defaultSchema}.${flyway:table}');
