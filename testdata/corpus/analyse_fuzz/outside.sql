-- migration
ATTACH '/tmp/x' AS y;
VACUUM INTO '/tmp/y';
SELECT load_extension('x');
PRAGMA journal_mode = wal;
DETACH main;
SELECT writefile('/tmp/z', 'x'), randomblob(1000000000), zeroblob(2000000000);
