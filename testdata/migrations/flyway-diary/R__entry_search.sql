DROP VIEW IF EXISTS entry_with_tags;
CREATE VIEW entry_with_tags AS
SELECT e.id, e.written_on, e.text, group_concat(t.name, ', ') AS tags
FROM entry e
LEFT JOIN tag t ON t.entry_id = e.id
GROUP BY e.id;
