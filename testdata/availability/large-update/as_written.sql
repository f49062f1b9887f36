UPDATE accounts SET name = upper(name) WHERE name <> upper(name);
