CREATE INDEX parted_a ON parted (a);
ALTER TABLE whole ATTACH PARTITION piece FOR VALUES FROM (1) TO (50);
DROP INDEX indexed_old;
-- migrate: batch key=id
UPDATE counted SET n = n + 1;
DELETE FROM emptied WHERE n > 20;
CREATE TABLE logs_3 PARTITION OF logs FOR VALUES FROM (100) TO (200);
ALTER TABLE logs DETACH PARTITION logs_1;
ALTER TABLE logs ADD PRIMARY KEY (id);
