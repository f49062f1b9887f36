-- Returns the rows of table ?1 whose parents are missing: rowid (NULL without one), parent, number of the key.
SELECT rowid, parent, fkid
FROM pragma_foreign_key_check(?1, 'main')
