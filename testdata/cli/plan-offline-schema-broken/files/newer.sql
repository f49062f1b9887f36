CREATE TABLE a (b text);
CREATE TABEL c (d text);
ATTACH 'other.db' AS o;
