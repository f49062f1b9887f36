-- Returns tables that are named as those of a rebuild by hand or by other tools, and the table that each is a copy of.
SELECT copy.name, original.name
FROM main.sqlite_schema AS copy
JOIN main.sqlite_schema AS original
  ON original.type = 'table'
 AND lower(copy.name) IN ('new_' || lower(original.name), '__new_' || lower(original.name),
                          'old_' || lower(original.name), '_alembic_tmp_' || lower(original.name),
                          lower(original.name) || '_new', lower(original.name) || '_old',
                          '_' || lower(original.name) || '_old', '_' || lower(original.name) || '_new')
WHERE copy.type = 'table'
ORDER BY 1
LIMIT 100
