DROP TABLESPACE fast_disks;
