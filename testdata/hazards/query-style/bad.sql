SELECT id FROM plans WHERE name LIKE '%free' ORDER BY 1;
