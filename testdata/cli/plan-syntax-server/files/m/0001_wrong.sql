CREATE TABLE a (b integer);
ALTER TABLE a
    ALTER COLUMN b TYP bigint;
