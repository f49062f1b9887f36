CREATE VIEW note_counts AS SELECT owner, count(*) AS n FROM notes GROUP BY owner;
