CREATE MATERIALIZED VIEW note_counts AS SELECT owner, count(*) FROM notes GROUP BY owner;
