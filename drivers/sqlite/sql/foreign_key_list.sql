-- Returns every column of every foreign key: child, parent, number of the key in its child, column
-- of the child, what ON DELETE does.
SELECT t.name, k."table", k.id, k."from", k.on_delete
FROM main.sqlite_schema AS t, pragma_foreign_key_list(t.name, 'main') AS k
WHERE t.type = 'table' AND t.sql LIKE '%REFERENCES%'
ORDER BY t.rowid, k.id, k.seq
