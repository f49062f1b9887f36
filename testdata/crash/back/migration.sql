CREATE INDEX indexed_new ON indexed (a);
REINDEX INDEX indexed_b;
REFRESH MATERIALIZED VIEW sums;
ALTER TABLE people ADD CONSTRAINT one UNIQUE (name), ADD PRIMARY KEY (id), ADD FOREIGN KEY (town) REFERENCES towns, ADD CHECK (town > 0);
ALTER TABLE words RENAME COLUMN word TO term;
ALTER TABLE wider ALTER COLUMN n TYPE bigint;
ALTER TABLE uses ALTER COLUMN id TYPE bigint;
-- migrate: using forward=a || '!'
ALTER TABLE filled ADD COLUMN b text NOT NULL;
ALTER TABLE stamped ADD COLUMN stamp int NOT NULL DEFAULT stamp();
ALTER TABLE narrowed DROP COLUMN a;
ALTER TABLE moved SET SCHEMA other;
DROP TABLE dropped;
ALTER TABLE renamed RENAME TO named;
